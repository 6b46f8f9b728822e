#include <onedge/core/error.hpp>
#include <onedge/network/network.hpp>

#include <array>

namespace onedge::network {

namespace {
constexpr std::size_t most_operations = 100000;
}

template <class Real, class Space>
Value Network<Real, Space>::add_value(Shape shape, int degree) {
  check_size("an activation", shape);
  m_values.push_back({static_cast<int>(m_values.size()), std::move(shape), degree});
  return m_values.back();
}

template <class Real, class Space>
Value Network<Real, Space>::input(Shape shape) {
  require(m_input.id < 0, "a network has one real input");
  m_input = add_value(std::move(shape), 0);
  return m_input;
}

template <class Real, class Space>
Integers Network<Real, Space>::tokens(std::size_t length) {
  require(m_tokens.length == 0, "a network has one integer input");
  m_tokens.length = length;
  return m_tokens;
}

template <class Real, class Space>
Value Network<Real, Space>::apply(std::unique_ptr<Operation<Real, Space>> operation) {
  require_input(m_operations.size() < most_operations, "the model is too large: it has more than ", most_operations,
                " operations");
  for (Value const& value : operation->inputs()) check_own(value);
  Value const value = add_value(operation->output().shape, operation->output().degree);
  operation->set_output_id(value.id);
  m_operations.push_back(std::move(operation));
  m_known_parameters.push_back(m_parameters.size());
  return value;
}

template <class Real, class Space>
void Network<Real, Space>::finish(std::unique_ptr<Loss<Real, Space>> loss) {
  check_own(loss->logits());
  m_loss = std::move(loss);
  check_all_used();
  decide_storage();
}

template <class Real, class Space>
void Network<Real, Space>::check_own(Value const& value) const {
  require(value.id >= 0 && static_cast<std::size_t>(value.id) < m_values.size(), "a value ", text_of(value.shape),
          " is not of this network");
}

// The adjoint of such a value would be read and never written.
template <class Real, class Space>
void Network<Real, Space>::check_all_used() const {
  std::vector<bool> used(m_values.size(), false);
  for (auto const& operation : m_operations) {
    for (Value const& value : operation->inputs()) used[value.id] = true;
  }
  used[m_loss->logits().id] = true;
  require(m_input.id < 0 || used[m_input.id], "the network does not use its input");
  for (std::size_t position = 0; position < m_operations.size(); ++position) {
    if (used[m_operations[position]->output().id]) continue;
    auto const& output = m_operations[position]->output();
    throw Error(concat("nothing in the network uses the output ", text_of(output.shape), " of operation ", position + 1,
                       ", ", m_operations[position]->name(), parameters_of(position)));
  }
}

template <class Real, class Space>
std::string Network<Real, Space>::parameters_of(std::size_t position) const {
  std::size_t const begin = position == 0 ? 0 : m_known_parameters[position - 1];
  std::string text;
  for (auto const& tensor : m_parameters.tensors()) {
    auto const offset = tensor.parameter.offset;
    if (offset >= begin && offset < m_known_parameters[position]) text += (text.empty() ? " of " : ", ") + tensor.name;
  }
  return text;
}

template <class Real, class Space>
void Network<Real, Space>::decide_storage() {
  std::vector<int> uses(m_values.size(), 0);
  std::vector<bool> fixed(m_values.size(), false);
  for (auto const& operation : m_operations) {
    for (Value const& value : operation->inputs()) ++uses[value.id];
    fixed[operation->output().id] = operation->reads_output();
  }
  ++uses[m_loss->logits().id];
  m_storage.resize(m_values.size());
  m_first_use.assign(m_values.size(), -1);
  m_last_use.assign(m_values.size(), -1);
  m_keeps_adjoint.assign(m_values.size(), false);
  for (Value const& value : m_values) m_storage[value.id] = value.id;
  for (int position = 0; position < static_cast<int>(m_operations.size()); ++position) {
    Operation<Real, Space> const& operation = *m_operations[position];
    for (Value const& value : operation.inputs()) m_last_use[m_storage[value.id]] = position;
    int const output = operation.output().id;
    if (operation.in_place()) {
      Value const& input = operation.input();
      bool const same = input.size() == operation.output().size() && input.degree == operation.output().degree;
      if (same && input.degree > 0 && uses[input.id] == 1 && !fixed[input.id]) m_storage[output] = m_storage[input.id];
    }
    if (m_storage[output] == output) m_first_use[output] = position;
    m_last_use[m_storage[output]] = position;
    if (operation.reads_output_adjoint()) m_keeps_adjoint[m_storage[output]] = true;
  }
  m_last_use[m_storage[m_loss->logits().id]] = static_cast<int>(m_operations.size());
}

namespace {

// The passes of a node as regions of a profile.

template <class Node, class Pass>
void forward_node(Node const& node, Pass const& pass, int order) {
  static constexpr std::array what{"forward(0)", "forward(1)", "forward(2)"};
  ScopedRegion const region(node.name(), what[static_cast<std::size_t>(order)]);
  node.forward(pass, order);
}

template <class Node, class Pass>
void reverse_node(Node const& node, Pass const& pass, int order) {
  ScopedRegion const region(node.name(), order == 0 ? "reverse(0)" : "reverse(1)");
  node.reverse(pass, order);
}

template <class Node, class Pass>
void contract_node(Node const& node, Pass const& pass) {
  ScopedRegion const region(node.name(), "contract");
  node.contract(pass);
}

}  // namespace

template <class Real, class Space>
void Network<Real, Space>::forward(Pass<Real, Space> const& pass) const {
  for (auto const& operation : m_operations) forward_node(*operation, pass, 0);
  forward_node(*m_loss, pass, 0);
}

template <class Real, class Space>
void Network<Real, Space>::reverse(Pass<Real, Space> const& pass, Settled const& settled) const {
  pass.workspace().forget_written();
  reverse_node(*m_loss, pass, 0);
  for (std::size_t position = m_operations.size(); position-- > 0;) {
    reverse_node(*m_operations[position], pass, 0);
    // What was not there yet when the operations before were applied, only later ones use.
    if (settled) settled(position == 0 ? 0 : m_known_parameters[position - 1]);
  }
}

template <class Real, class Space>
void Network<Real, Space>::contract(Pass<Real, Space> const& pass) const {
  for (auto const& operation : m_operations) {
    if (operation->output().degree < 1) continue;
    if (!operation->contract_goes_forward()) forward_node(*operation, pass, 1);
    contract_node(*operation, pass);
  }
  contract_node(*m_loss, pass);
}

template <class Real, class Space>
void Network<Real, Space>::forward_second(Pass<Real, Space> const& pass) const {
  for (auto const& operation : m_operations) {
    for (int order = 1; order <= operation->output().degree; ++order) forward_node(*operation, pass, order);
  }
  forward_node(*m_loss, pass, 2);
}

template <class Real, class Space>
void Network<Real, Space>::forward_first(Pass<Real, Space> const& pass) const {
  for (auto const& operation : m_operations) {
    if (operation->output().degree >= 1) forward_node(*operation, pass, 1);
  }
  forward_node(*m_loss, pass, 1);
}

template <class Real, class Space>
void Network<Real, Space>::gauss_newton_curvature(Pass<Real, Space> const& pass) const {
  for (auto const& operation : m_operations) {
    if (operation->output().degree >= 1) forward_node(*operation, pass, 1);
  }
  contract_node(*m_loss, pass);
}

template <class Real, class Space>
void Network<Real, Space>::product(Pass<Real, Space> const& pass) const {
  for (auto const& operation : m_operations) {
    if (operation->output().degree >= 1) forward_node(*operation, pass, 1);
  }
  pass.workspace().forget_written();
  reverse_node(*m_loss, pass, 1);
  for (auto operation = m_operations.rbegin(); operation != m_operations.rend(); ++operation) {
    reverse_node(**operation, pass, 1);
  }
}

#define ONEDGE_INSTANTIATE(Real, Space) template class Network<Real, Space>;
ONEDGE_FOR_EACH_BACKEND(ONEDGE_INSTANTIATE)
#undef ONEDGE_INSTANTIATE

}  // namespace onedge::network
