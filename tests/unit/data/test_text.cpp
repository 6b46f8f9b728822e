// Windows of a text: which characters they hold, what their labels are, and what no text is.
#include <map>
#include <set>

#include "files.hpp"

namespace onedge::data::test {
namespace {

void write_text(std::filesystem::path const& path, std::string const& text) {
  std::ofstream(path, std::ios::binary) << text;
}

DataConfig text_config(std::filesystem::path const& path, std::int64_t length, std::int64_t test_samples = 0) {
  auto config = config_of("text", path.string());
  config.length = length;
  config.test_samples = test_samples;
  return config;
}

/// The windows against the text itself.
void expect_windows(Source const& source, std::string const& text, std::size_t length, std::size_t first_window) {
  std::set<char> const set(text.begin(), text.end());
  std::map<char, int> place;
  for (char const character : set) place.insert({character, static_cast<int>(place.size())});
  EXPECT_EQ(source.description().classes, set.size());
  EXPECT_EQ(source.description().vocabulary, set.size());
  EXPECT_EQ(source.description().labels_per_sample, length);
  EXPECT_EQ(source.description().shape, (std::vector<std::size_t>{length}));
  std::size_t const samples = source.description().samples;
  for (std::size_t first = 0; first < samples; first += 2) {
    auto const read = source.read(first, samples - first);
    ASSERT_EQ(read.tokens.size(), (samples - first) * length);
    for (std::size_t i = 0; i < read.tokens.size(); ++i) {
      std::size_t const at = (first_window + first) * length + i;
      ASSERT_EQ(read.tokens[i], place[text[at]]);
      ASSERT_EQ(read.labels[i], place[text[at + 1]]);
    }
  }
}

TEST(Text, IsCutIntoWindowsFromItsStart) {
  Folder const folder;
  std::string const text = "Before we proceed any further, hear me speak.\nSpeak, speak.\n";
  for (std::size_t const length : {1U, 4U, 7U, 20U, 58U, 59U}) {
    write_text(folder / "a.txt", text);
    auto const source = make_source(text_config(folder / "a.txt", static_cast<std::int64_t>(length)), Split::train);
    EXPECT_EQ(source->description().samples, (text.size() - 1) / length);
    expect_windows(*source, text, length, 0);
  }
}

TEST(Text, KeepsATailForTestsWhenAsked) {
  Folder const folder;
  std::string const text = "to be, or not to be, that is the question: Z";  // the Z is in no training window
  write_text(folder / "a.txt", text);
  EXPECT_FALSE(has_test_split(text_config(folder / "a.txt", 5)));
  auto const config = text_config(folder / "a.txt", 5, 3);
  EXPECT_TRUE(has_test_split(config));
  auto const train = make_source(config, Split::train);
  auto const test = make_source(config, Split::test);
  EXPECT_EQ(train->description().samples, 5U);
  EXPECT_EQ(test->description().samples, 3U);
  expect_windows(*train, text, 5, 0);
  expect_windows(*test, text, 5, 5);
}

TEST(Text, CharactersAreThoseOfUnicode) {
  Folder const folder;
  write_text(folder / "a.txt", "a\u00e9\u4e2d\U0001f600a\u00e9");
  auto const source = make_source(text_config(folder / "a.txt", 2), Split::train);
  EXPECT_EQ(source->description().vocabulary, 4U);
  EXPECT_EQ(source->read(0, 2).tokens, (std::vector<std::int32_t>{0, 1, 2, 3}));
  EXPECT_EQ(source->read(0, 2).labels, (std::vector<std::int32_t>{1, 2, 3, 0}));
}

TEST(Text, LeavesOutTheByteOrderMark) {
  Folder const folder;
  write_text(folder / "a.txt",
             "\xef\xbb\xbf"
             "abcab");
  auto const source = make_source(text_config(folder / "a.txt", 2), Split::train);
  EXPECT_EQ(source->description().vocabulary, 3U);
  EXPECT_EQ(source->description().samples, 2U);
  EXPECT_EQ(source->read(0, 2).tokens, (std::vector<std::int32_t>{0, 1, 2, 0}));
  // Behind the begin of the text it is a character like others.
  write_text(folder / "a.txt",
             "ab\xef\xbb\xbf"
             "a");
  EXPECT_EQ(make_source(text_config(folder / "a.txt", 2), Split::train)->description().vocabulary, 3U);
  for (auto const& [text, name] : std::map<std::string, std::string>{{std::string("\xff\xfe"
                                                                                  "a\0b\0",
                                                                                  6),
                                                                      "UTF-16"},
                                                                     {std::string("\xfe\xff"
                                                                                  "\0a\0b",
                                                                                  6),
                                                                      "UTF-16"},
                                                                     {std::string("\xff\xfe\0\0"
                                                                                  "a\0\0\0",
                                                                                  8),
                                                                      "UTF-32"},
                                                                     {std::string("\0\0\xfe\xff\0\0\0"
                                                                                  "a",
                                                                                  8),
                                                                      "UTF-32"}}) {
    write_text(folder / "a.txt", text);
    expect_input_error([&] { make_source(text_config(folder / "a.txt", 1), Split::train); },
                       {"a.txt: is a text in " + name, "UTF-8 is needed"});
  }
}

TEST(Text, RefusesWhatIsNone) {
  Folder const folder;
  auto const open = [&](std::int64_t length, std::int64_t test_samples = 0) {
    make_source(text_config(folder / "a.txt", length, test_samples), Split::train);
  };
  expect_input_error([&] { open(4); }, {"data.path", "a.txt", "cannot be opened"});
  write_text(folder / "a.txt", "");
  expect_input_error([&] { open(4); }, {"data.length", "a.txt has 0 characters", "data.length + 1 = 5"});
  write_text(folder / "a.txt", "four");
  expect_input_error([&] { open(4); }, {"data.length", "a.txt has 4 characters"});
  write_text(folder / "a.txt", "12345678");
  expect_input_error([&] { open(2, 3); }, {"data.test_samples: 3 of the 3 windows", "a.txt"});
  for (std::string const bad :
       {"\x80", "\xc1\xbf", "\xe4\xb8", "\xed\xa0\x80", "\xf5\x80\x80\x80", "\xf0\x80\x80\x80", "\xff"}) {
    write_text(folder / "a.txt", "good" + bad + "good");
    expect_input_error([&] { open(1); }, {"a.txt: is no text in UTF-8: byte 4 "});
  }
  std::filesystem::create_directory(folder / "b.txt");
  expect_input_error([&] { make_source(text_config(folder / "b.txt", 1), Split::train); }, {"b.txt is a directory"});
}

}  // namespace
}  // namespace onedge::data::test
