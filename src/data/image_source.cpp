// A folder of class folders of JPEG images, decoded by all cores while they are read.
#include <onedge/core/error.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>

#include "image.hpp"
#include "sources.hpp"

namespace onedge::data {

namespace {

namespace filesystem = std::filesystem;

bool is_folder(filesystem::path const& path) {
  std::error_code ignored;
  return filesystem::is_directory(path, ignored);
}

/// What a folder holds in alphabetical order, but for what is hidden by a dot.
std::vector<filesystem::path> contents(filesystem::path const& folder) {
  std::error_code failure;
  std::vector<filesystem::path> result;
  for (auto const& entry : filesystem::directory_iterator(folder, failure)) {
    if (entry.path().filename().string().front() != '.') result.push_back(entry.path());
  }
  require_input(!failure, "data.path: ", folder.string(), " cannot be read: ", failure.message());
  std::sort(result.begin(), result.end());
  return result;
}

filesystem::path split_folder(filesystem::path const& folder, Split split) {
  if (split == Split::test) return folder / "val";
  return is_folder(folder / "train") ? folder / "train" : folder;
}

std::vector<filesystem::path> class_folders(filesystem::path const& folder) {
  auto result = contents(folder);
  for (auto const& path : result) {
    require_input(is_folder(path), "data.path: ", path.string(), " is a file among class folders");
  }
  require_input(result.size() >= 2, "data.path: ", folder.string(), " holds ",
                result.empty() ? "no class folder" : "one class folder only", "; there must be two or more");
  return result;
}

/// The test split's labels mean what the training split's do.
void require_same_classes(std::vector<filesystem::path> const& folders, filesystem::path const& train) {
  auto const wanted = class_folders(train);
  std::size_t const most = std::max(wanted.size(), folders.size());
  for (std::size_t i = 0; i < most; ++i) {
    bool const same = i < wanted.size() && i < folders.size() && wanted[i].filename() == folders[i].filename();
    require_input(same, "data.path: ", (i < folders.size() ? folders[i] : wanted[i]).string(),
                  " has no counterpart in ", (i < folders.size() ? train : folders[0].parent_path()).string());
  }
}

/// work(i) for i = 0 … count−1 on all cores; meanwhile tick(done) on this thread, now and then. Throws what the first i
/// that failed has thrown.
template <class Work, class Tick>
void for_each_on_all_cores(std::size_t count, Work const& work, Tick const& tick) {
  std::size_t const threads = std::min<std::size_t>(count, std::max(1u, std::thread::hardware_concurrency()));
  std::atomic<std::size_t> next = 0, done = 0;
  std::mutex mutex;
  std::condition_variable changed;
  std::size_t working = threads, failed = count;
  std::exception_ptr failure;
  auto const loop = [&] {
    for (std::size_t i = next++; i < count; i = next++) {
      try {
        work(i);
        ++done;
      } catch (...) {
        std::lock_guard const lock(mutex);
        if (i < failed) failed = i, failure = std::current_exception();
        next = count;
      }
    }
    std::lock_guard const lock(mutex);
    --working;
    changed.notify_one();
  };
  std::vector<std::jthread> pool;
  for (std::size_t t = 0; t < threads; ++t) pool.emplace_back(loop);
  std::unique_lock lock(mutex);
  while (!changed.wait_for(lock, std::chrono::milliseconds(200), [&] { return working == 0; })) tick(done.load());
  if (failure) std::rethrow_exception(failure);
}

class ImageSource : public Source {
 public:
  ImageSource(SourceDescription description, std::vector<filesystem::path> files, std::vector<std::int32_t> labels,
              ImageOptions options, Report report)
      : Source(std::move(description)),
        m_files(std::move(files)),
        m_labels(std::move(labels)),
        m_options(options),
        m_report(std::move(report)) {}

  bool is_costly() const override { return true; }

 private:
  HostSamples read_samples(std::size_t first, std::size_t count) const override {
    std::size_t const features = description().features();
    HostSamples samples;
    samples.pixels.resize(count * features);
    samples.labels = read_labels(first, count);
    auto last_report = std::chrono::steady_clock::now();
    std::mutex mutex;  // of the warnings
    for_each_on_all_cores(
        count,
        [&](std::size_t i) {
          auto const jpeg = decode_jpeg(m_files[first + i]);
          auto const pixels = prepared(jpeg.image, m_files[first + i]);
          {
            std::lock_guard const lock(mutex);
            warn_about(jpeg, first + i);
          }
          std::copy(pixels.begin(), pixels.end(), samples.pixels.begin() + static_cast<std::ptrdiff_t>(i * features));
        },
        [&](std::size_t done) {
          auto const now = std::chrono::steady_clock::now();
          if (!m_report || now - last_report < std::chrono::seconds(10)) return;
          last_report = now;
          m_report(concat(description().name, ": decoded ", done, " of ", count, " images"));
        });
    return samples;
  }

  std::vector<std::int32_t> read_labels(std::size_t first, std::size_t count) const override {
    auto const begin = m_labels.begin() + static_cast<std::ptrdiff_t>(first);
    return {begin, begin + static_cast<std::ptrdiff_t>(count)};
  }

  void warn_about(Jpeg const& jpeg, std::size_t sample) const {
    auto const& file = m_files[sample].string();
    if (!jpeg.warning.empty()) {
      new_warnings().add(description().name + ": odd images that were read all the same", sample,
                         concat(file, ": ", jpeg.warning));
    }
    if (jpeg.orientation != 1) {
      new_warnings().add(description().name + ": images that EXIF asks to turn or mirror, which is ignored", sample,
                         concat(file, ": orientation ", jpeg.orientation));
    }
  }

  std::vector<std::uint8_t> prepared(Image const& image, filesystem::path const& file) const {
    require_input(m_options.resize > 0 || std::min(image.width, image.height) >= m_options.size, file.string(), ": ",
                  image.width, " by ", image.height, " pixels are fewer than data.size: ", m_options.size,
                  ", and data.resize: none leaves them so");
    return resize_and_crop(image, m_options.resize, m_options.size).pixels;
  }

  std::vector<filesystem::path> m_files;
  std::vector<std::int32_t> m_labels;
  ImageOptions m_options;
  Report m_report;
};

}  // namespace

bool images_have_test(filesystem::path const& folder) {
  return is_folder(folder / "train") && is_folder(folder / "val");
}

std::unique_ptr<Source> open_images(filesystem::path const& folder, Split split, ImageOptions const& options,
                                    Report report) {
  auto const classes = class_folders(split_folder(folder, split));
  if (split == Split::test) require_same_classes(classes, split_folder(folder, Split::train));
  std::vector<filesystem::path> files;
  std::vector<std::int32_t> labels;
  for (std::size_t label = 0; label < classes.size(); ++label) {
    auto const images = contents(classes[label]);
    require_input(!images.empty(), "data.path: the class folder ", classes[label].string(), " is empty");
    for (auto const& path : images) {
      require_input(!is_folder(path), "data.path: ", path.string(), " is a folder among images");
    }
    files.insert(files.end(), images.begin(), images.end());
    labels.resize(files.size(), static_cast<std::int32_t>(label));
  }
  SourceDescription description{
      split_folder(folder, split).string(), files.size(), {options.size, options.size, 3}, classes.size()};
  return std::make_unique<ImageSource>(std::move(description), std::move(files), std::move(labels), options,
                                       std::move(report));
}

}  // namespace onedge::data
