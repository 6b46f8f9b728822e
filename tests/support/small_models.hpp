#pragma once
// Versions of the paper's networks that are small enough to be checked number by number, with smooth activations.
#include <onedge/model/model.hpp>

#include <string>
#include <vector>

namespace onedge::test {

/// The keys of section `model`, as in a deck.
inline model::ModelConfig model_config(std::string const& keys) {
  auto const deck = config::Deck::from_text("model: {" + keys + "}\nloss: {}", "test.yaml");
  model::ModelConfig config;
  config.bind(deck.root().section("model"), deck.root().section("loss"));
  deck.check_all_known();
  return config;
}

struct SmallModel {
  std::string name, keys;
  model::DataShape data;
};

inline std::vector<SmallModel> small_models() {
  model::DataShape const images{{9, 8, 2}, 3}, text{{5}, 4, 4};
  return {{"resnet34", "kind: resnet34, blocks: [1, 2], filters: 3, activation: tanh", images},
          {"resnet34_textbook", "kind: resnet34, blocks: [2, 1], filters: 3, activation: tanh, projection: textbook",
           images},
          {"resnet50", "kind: resnet50, blocks: [1, 1], filters: 2, activation: gelu", images},
          {"mixer", "kind: mixer_ti8, patch: 3, width: 6, depth: 2, token_width: 5, channel_width: 7", images},
          {"vit_token", "kind: vit_ti32, patch: 4, width: 6, depth: 2, heads: 2, mlp_width: 7", images},
          {"vit_gap",
           "kind: vit_ti32, patch: 4, width: 6, depth: 1, heads: 3, mlp_width: 7, classifier: gap, representation: 4",
           images},
          {"nanolm",
           "kind: nanolm, width: 6, depth: 2, heads: 2, attention_width: 4, mlp_width: 7, activation: gelu_erf", text}};
}

}  // namespace onedge::test
