#include <onedge/core/error.hpp>
#include <onedge/hdf5/publish.hpp>
#include <onedge/io/checkpoint.hpp>

#include <gtest/gtest.h>

#include <limits>

#include "support/scratch.hpp"

namespace {

using namespace onedge;
using io::Checkpoint;
using io::ExpectedTensor;
using io::Values;
using test::message_of;
using test::ScratchFolder;

std::vector<ExpectedTensor> const model = {{"dense_1/kernel", {2, 3}}, {"dense_0/bias", {2}}};

Checkpoint example(std::int64_t step) {
  Checkpoint checkpoint;
  checkpoint.deck = "model: {kind: mlp}\n";
  checkpoint.step = step;
  checkpoint.parameters = {{"dense_1/kernel", {2, 3}, std::vector<float>{0.1F, 2, 3, 4, 5, 6}},
                           {"dense_0/bias", {2}, std::vector<float>{-1, 1e-40F}}};
  checkpoint.states["optimizer"].vectors["second_moment"] = std::vector<float>(8, 0.3F);
  checkpoint.states["tuner"].numbers["learning_rate"] = 0.1;
  checkpoint.states["tuner"].numbers["previous"] = std::numeric_limits<double>::denorm_min();
  checkpoint.states["tuner"].vectors["averages"] = std::vector<double>{0.1, 0.2};
  checkpoint.states["schedule"];
  return checkpoint;
}

template <class Real>
std::string refusal(std::filesystem::path const& path, std::vector<ExpectedTensor> const& expected) {
  return message_of<InputError>([&] { io::load_parameters<Real>(path, expected); });
}

TEST(Checkpoint, ComesBackBitForBit) {
  ScratchFolder folder;
  auto const original = example(100);
  auto const path = io::write_checkpoint(folder.path(), original);
  EXPECT_EQ(path.filename(), "checkpoint-00000100.h5");
  auto const loaded = io::read_checkpoint(path);
  EXPECT_EQ(loaded.deck, original.deck);
  EXPECT_EQ(loaded.step, 100);
  EXPECT_EQ(loaded.precision, Precision::single_precision);
  ASSERT_EQ(loaded.parameters.size(), 2U);
  EXPECT_EQ(loaded.parameters[0].name, "dense_0/bias");
  EXPECT_EQ(loaded.parameters[0].values, original.parameters[1].values);
  EXPECT_EQ(loaded.parameters[1].shape, original.parameters[0].shape);
  EXPECT_EQ(loaded.parameters[1].values, original.parameters[0].values);
  ASSERT_EQ(loaded.states.size(), 3U);
  EXPECT_EQ(loaded.states.at("optimizer").vectors, original.states.at("optimizer").vectors);
  EXPECT_EQ(loaded.states.at("tuner").vectors, original.states.at("tuner").vectors);
  EXPECT_EQ(loaded.states.at("tuner").numbers, original.states.at("tuner").numbers);
  EXPECT_TRUE(loaded.states.at("schedule").numbers.empty());
}

TEST(Checkpoint, EveryChangedByteIsNoticed) {
  ScratchFolder folder;
  auto const path = io::write_checkpoint(folder.path(), example(1));
  auto const bytes = test::slurp(path);
  for (std::size_t i = 0; i < bytes.size(); i += i + 64 < bytes.size() ? 29 : 1) {
    auto damaged = bytes;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    test::spit(path, damaged);
    auto const message = message_of<Error>([&] { io::read_checkpoint(path); });
    EXPECT_EQ(message.find("damaged checkpoint: " + path.string()), 0U) << i << message;
  }
  EXPECT_NE(refusal<float>(path, model).find(path.string()), std::string::npos);
  test::spit(path, bytes);
  EXPECT_NO_THROW(io::read_checkpoint(path));
}

TEST(Checkpoint, CarriesTheTrajectoryUpToItsStep) {
  ScratchFolder folder;
  auto checkpoint = example(2);
  checkpoint.trajectory.emplace(io::Description{"deck", "onedge train", Precision::single_precision, 8, 64});
  checkpoint.trajectory->add_segment({0, 2, "serial", "node1", "", "abc", "2024-05-02T12:00:00+00:00", "", "MPI"});
  checkpoint.trajectory->warn(1, "η = 0");
  auto& steps = checkpoint.trajectory->declare("steps", io::step_columns({"loss"}));
  for (std::int64_t t : {0, 1}) steps.append(t, {{"loss", 0.1 + static_cast<double>(t)}});
  auto const loaded = io::read_checkpoint(io::write_checkpoint(folder.path(), checkpoint));
  EXPECT_EQ(loaded.states.size(), 3U);
  ASSERT_TRUE(loaded.trajectory);
  EXPECT_EQ(loaded.trajectory->table("steps").values("loss"), (std::vector<double>{0.1, 1.1}));
  EXPECT_EQ(loaded.trajectory->segments().at(0).hosts, "node1");
  EXPECT_EQ(loaded.trajectory->warnings().at(0).message, "η = 0");
  EXPECT_EQ(loaded.trajectory->description().samples, 64);
}

TEST(Checkpoint, TruncatedAndForeignFilesAreNamed) {
  ScratchFolder folder;
  auto const path = io::write_checkpoint(folder.path(), example(1));
  auto const bytes = test::slurp(path);
  for (std::size_t length = 0; length < bytes.size(); length += 499) {
    test::spit(folder / "short.h5", bytes.substr(0, length));
    EXPECT_NE(message_of<Error>([&] { io::read_checkpoint(folder / "short.h5"); }), "") << length;
    EXPECT_NE(refusal<float>(folder / "short.h5", model).find("short.h5"), std::string::npos) << length;
  }
  hdf5::publish(folder / "foreign.h5", [](hdf5::File& file) { file.write("x", std::vector{1.0}); });
  auto const message = message_of<Error>([&] { io::read_checkpoint(folder / "foreign.h5"); });
  EXPECT_NE(message.find("foreign.h5 is not a checkpoint"), std::string::npos);
  EXPECT_NE(refusal<float>(folder / "foreign.h5", model).find("no group /parameters"), std::string::npos);
}

TEST(Checkpoint, ParametersComeInTheModelsOrderAndPrecision) {
  ScratchFolder folder;
  auto const path = io::write_checkpoint(folder.path(), example(1));
  auto const single = io::load_parameters<float>(path, model);
  ASSERT_EQ(single.size(), 2U);
  EXPECT_EQ(single[0], (std::vector<float>{0.1F, 2, 3, 4, 5, 6}));
  auto const wide = io::load_parameters<double>(path, model);
  EXPECT_EQ(wide[1], (std::vector<double>{-1.0, static_cast<double>(1e-40F)}));
  hdf5::publish(folder / "plain.h5", [](hdf5::File& file) {
    file.write<double>("parameters/dense_1/kernel", std::vector{0.1, 2.0, 3.0, 4.0, 5.0, 6.0}, {2, 3});
    file.write("parameters/dense_0/bias", std::vector<std::int32_t>{1, 2});
  });
  auto const plain = io::load_parameters<float>(folder / "plain.h5", model);
  EXPECT_EQ(plain[0], single[0]);
  EXPECT_EQ(plain[1], (std::vector<float>{1, 2}));
}

TEST(Checkpoint, ParametersOfAnotherModelAreRefusedByName) {
  ScratchFolder folder;
  auto const path = io::write_checkpoint(folder.path(), example(1));
  auto const missing = refusal<float>(path, {model[0], model[1], {"dense_1/bias", {3}}});
  EXPECT_NE(missing.find("'dense_1/bias' is missing"), std::string::npos) << missing;
  auto const shape = refusal<float>(path, {{"dense_1/kernel", {3, 2}}, model[1]});
  EXPECT_NE(shape.find("'dense_1/kernel' has the shape [2, 3], the model's has [3, 2]"), std::string::npos) << shape;
  auto const surplus = refusal<float>(path, {model[0]});
  EXPECT_NE(surplus.find("no tensor 'dense_0/bias'"), std::string::npos) << surplus;
  hdf5::publish(folder / "text.h5", [](hdf5::File& file) {
    file.write("parameters/dense_0/bias", std::vector<std::string>{"a", "b"});
  });
  EXPECT_NE(refusal<float>(folder / "text.h5", {model[1]}).find("it holds text"), std::string::npos);
  EXPECT_NE(refusal<float>(folder / "none.h5", model).find("no such file"), std::string::npos);
}

TEST(Checkpoint, OldOnesGoButNeverTheFirstOrTheLast) {
  ScratchFolder folder;
  EXPECT_TRUE(io::list_checkpoints(folder / "none").empty());
  for (std::int64_t const step : {0, 100, 20, 3, 123456789}) io::write_checkpoint(folder.path(), example(step));
  for (auto const* foreign : {"checkpoint-7.h5", "checkpoint-00000001.h5.bak", "checkpoint-0000000x.h5", "a.h5"}) {
    test::spit(folder / foreign, "mine");
  }
  auto const steps = [&] {
    std::vector<std::int64_t> found;
    for (auto const& file : io::list_checkpoints(folder.path())) found.push_back(file.step);
    return found;
  };
  using Steps = std::vector<std::int64_t>;
  EXPECT_EQ(steps(), (Steps{0, 3, 20, 100, 123456789}));
  io::remove_old_checkpoints(folder.path(), 0);
  EXPECT_EQ(steps().size(), 5U);
  io::remove_old_checkpoints(folder.path(), 2);
  EXPECT_EQ(steps(), (Steps{0, 100, 123456789}));
  io::remove_old_checkpoints(folder.path(), 1, 100);
  EXPECT_EQ(steps(), (Steps{100, 123456789}));
  io::write_checkpoint(folder.path(), example(0));
  io::remove_old_checkpoints(folder.path(), 1);
  EXPECT_EQ(steps(), (Steps{0, 123456789}));
  EXPECT_EQ(test::slurp(folder / "checkpoint-7.h5"), "mine");
}

}  // namespace
