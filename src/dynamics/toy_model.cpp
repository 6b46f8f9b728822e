#include <onedge/dynamics/toy_model.hpp>

namespace onedge::dynamics {

ToyModel ToyModel::bind(config::Section section) {
  ToyModel model;
  section.choose("kind", model.kind, {"a", "b"},
                 "toy model; a: one direction, whose curvature grows and is held down by oscillations; b: and a second "
                 "one of fixed curvature");
  section.choose(
      "rule", model.rule, {"constant", "fixed", "cdat"},
      "learning rate; fixed: at a fixed distance y from the edge; cdat: from the curvature along the update");
  section.require("a", model.a, "growth of the sharpness λ: λ' = λ + η(a − bp)", config::non_negative);
  section.require("b", model.b, "how strongly oscillations p hold the sharpness down", config::non_negative);
  section.require("learning_rate", model.start.learning_rate, "learning rate at t = 0", config::non_negative);
  section.require("sharpness", model.start.sharpness, "sharpness λ at t = 0");
  section.require("p", model.start.p, "squared displacement along the first direction at t = 0", config::non_negative);
  bool const all = section.documenting();
  if (all || model.kind == "b") {
    auto b = section.when("kind: b");
    b.require("g", model.start.g, "squared displacement along the second direction at t = 0", config::non_negative);
    b.require("nu", model.nu, "curvature ν of the second direction");
  }
  if (all || model.rule == "fixed") {
    section.when("rule: fixed").bind("offset", model.offset, "distance y = ηλ − 2 from the edge of stability");
  }
  if (all || model.rule == "cdat") {
    section.when("rule: cdat").bind("sigma", model.sigma, "scale σ: 2 is on the edge", config::non_negative);
  }
  return model;
}

State ToyModel::next(State const& now) const {
  auto const square = [](double x) { return x * x; };
  double const lambda = now.sharpness;
  State next;
  next.sharpness = lambda + now.learning_rate * (a - b * now.p);
  next.p = square(1 - now.learning_rate * lambda) * now.p;
  next.g = square(1 - now.learning_rate * nu) * now.g;
  if (rule == "constant") {
    next.learning_rate = now.learning_rate;
  } else if (rule == "fixed") {
    next.learning_rate = (2 + offset) / next.sharpness;
  } else {
    double const first = square(lambda) * now.p, second = square(nu) * now.g;
    next.learning_rate = sigma * (first + second) / (lambda * first + nu * second);
  }
  return next;
}

}  // namespace onedge::dynamics
