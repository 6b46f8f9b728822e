// A text as windows of characters: sample i holds the characters iL … iL+L−1, its labels are those one further on.
#include <onedge/core/error.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string_view>

#include "binary_file.hpp"
#include "sources.hpp"

namespace onedge::data {

namespace {

std::string read_file(std::filesystem::path const& path) {
  std::error_code ignored;
  require_input(!std::filesystem::is_directory(path, ignored), "data.path: ", path.string(),
                " is a directory, not a text");
  require_input(!is_special(path), "data.path: ", path.string(), " is no regular file");
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  require_input(file.is_open(), "data.path: ", path.string(), " cannot be opened: ", std::strerror(errno));
  return {std::istreambuf_iterator<char>(file), {}};
}

/// The character that begins at `at`, which moves behind it (RFC 3629); InputError when there is none.
char32_t next_character(std::string const& text, std::size_t& at, std::string const& name) {
  auto const byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  unsigned const lead = byte(at);
  std::size_t const length = lead < 0x80   ? 1
                             : lead < 0xc2 ? 0
                             : lead < 0xe0 ? 2
                             : lead < 0xf0 ? 3
                             : lead < 0xf5 ? 4
                                           : 0;
  char32_t character = length == 1 ? lead : lead & (0x7fu >> length);
  bool is_valid = length > 0;
  for (std::size_t i = 1; i < length; ++i) {
    is_valid = is_valid && (byte(at + i) & 0xc0u) == 0x80u;
    character = character << 6 | (byte(at + i) & 0x3fu);
  }
  // Neither longer than need be, nor half of a pair of UTF-16, nor beyond Unicode.
  is_valid = is_valid && !(length == 3 && (character < 0x800 || (character >= 0xd800 && character < 0xe000))) &&
             !(length == 4 && (character < 0x10000 || character > 0x10ffff));
  require_input(is_valid, name, ": is no text in UTF-8: byte ", at, " begins no character");
  at += length;
  return character;
}

/// Where the text begins: behind a byte-order mark, which says how a text is stored and is no part of it. InputError
/// when it says that this is another encoding.
std::size_t begin_of(std::string const& text, std::string const& name) {
  using namespace std::string_view_literals;
  bool const is_utf32 = text.starts_with("\xff\xfe\0\0"sv) || text.starts_with("\0\0\xfe\xff"sv);
  bool const is_utf16 = text.starts_with("\xff\xfe"sv) || text.starts_with("\xfe\xff"sv);
  require_input(!is_utf32 && !is_utf16, name, ": is a text in UTF-", is_utf32 ? 32 : 16,
                " by its byte-order mark; UTF-8 is needed");
  return text.starts_with("\xef\xbb\xbf"sv) ? 3 : 0;
}

/// The places of a text's characters in the sorted set of them.
struct Characters {
  std::vector<std::int32_t> places;
  std::size_t vocabulary = 0;
};

Characters characters_of(std::string const& text, std::string const& name) {
  std::vector<char32_t> all;
  for (std::size_t at = begin_of(text, name); at < text.size();) all.push_back(next_character(text, at, name));
  std::vector<bool> occurs(0x110000, false);
  for (char32_t const character : all) occurs[character] = true;
  std::vector<std::int32_t> place(occurs.size(), 0);
  Characters result;
  for (std::size_t character = 0; character < occurs.size(); ++character) {
    place[character] = static_cast<std::int32_t>(result.vocabulary);
    if (occurs[character]) ++result.vocabulary;
  }
  for (char32_t const character : all) result.places.push_back(place[character]);
  return result;
}

class TextSource : public Source {
 public:
  TextSource(SourceDescription description, std::vector<std::int32_t> characters)
      : Source(std::move(description)), m_characters(std::move(characters)) {}

 private:
  HostSamples read_samples(std::size_t first, std::size_t count) const override {
    auto const length = static_cast<std::ptrdiff_t>(description().features());
    auto const begin = m_characters.begin() + static_cast<std::ptrdiff_t>(first) * length;
    auto const end = begin + static_cast<std::ptrdiff_t>(count) * length;
    HostSamples samples;
    samples.tokens.assign(begin, end);
    if (count > 0) samples.labels.assign(begin + 1, end + 1);
    return samples;
  }

  std::vector<std::int32_t> m_characters;  // of this split, and one more
};

}  // namespace

std::unique_ptr<Source> open_text(std::filesystem::path const& file, Split split, std::size_t length,
                                  std::size_t test_samples) {
  auto characters = characters_of(read_file(file), file.string());
  auto& places = characters.places;
  require_input(places.size() > length, "data.length: ", file.string(), " has ", places.size(),
                " characters; a window takes data.length + 1 = ", length + 1);
  std::size_t const windows = (places.size() - 1) / length;
  require_input(test_samples < windows, "data.test_samples: ", test_samples, " of the ", windows, " windows of ",
                length, " characters in ", file.string(), " leave none to train on");
  std::size_t const samples = split == Split::train ? windows - test_samples : test_samples;
  std::size_t const first = split == Split::train ? 0 : windows - test_samples;
  auto const begin = places.begin() + static_cast<std::ptrdiff_t>(first * length);
  std::vector<std::int32_t> part(begin, begin + static_cast<std::ptrdiff_t>(samples * length + 1));
  return std::make_unique<TextSource>(
      SourceDescription{file.string(), samples, {length}, characters.vocabulary, length, characters.vocabulary},
      std::move(part));
}

}  // namespace onedge::data
