#include <onedge/tuner/constant.hpp>

namespace onedge::tuner {

void Constant::Options::bind(config::Section section) {
  section.require("learning_rate", learning_rate, "the learning rate η of every step", config::non_negative);
}

}  // namespace onedge::tuner
