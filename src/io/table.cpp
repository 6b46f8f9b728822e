#include <onedge/core/error.hpp>
#include <onedge/hdf5/file.hpp>
#include <onedge/io/table.hpp>

#include <algorithm>
#include <limits>
#include <set>

namespace onedge::io {

namespace {

using Kind = Column::Kind;

void describe(hdf5::Dataset& dataset, std::string const& description, std::string const& units) {
  dataset.write_attribute("description", description);
  dataset.write_attribute("units", units);
}

hdf5::Dataset write_column(hdf5::Group& group, Column const& column, std::size_t rows,
                           std::vector<double> const& values) {
  hdf5::Shape shape{rows};
  if (column.width > 0) shape.push_back(column.width);
  if (column.kind == Kind::real) {
    return group.write(column.name, std::span<double const>(values), shape, hdf5::Layout::extensible);
  }
  std::vector<std::int64_t> const integers(values.begin(), values.end());
  return group.write(column.name, std::span<std::int64_t const>(integers), shape, hdf5::Layout::extensible);
}

/// What stands where a record of a growing column ends early.
double filler(Column const& column) {
  return column.kind == Kind::integer ? 0 : std::numeric_limits<double>::quiet_NaN();
}

Column read_column(hdf5::Dataset const& dataset, std::string const& name) {
  auto const shape = dataset.shape();
  require(shape.size() == 1 || shape.size() == 2, dataset.label(), " has ", shape.size(),
          " dimensions, 1 or 2 expected");
  bool const integer = dataset.element_type() == hdf5::ElementType::integer;
  return {name, dataset.attribute<std::string>("description"), dataset.attribute<std::string>("units"),
          integer ? Kind::integer : Kind::real, shape.size() == 2 ? shape[1] : 0};
}

}  // namespace

Table::Table(std::vector<Column> columns) : m_columns(std::move(columns)) {
  std::set<std::string> names{"step"};
  for (auto const& column : m_columns) {
    require(names.insert(column.name).second, "column '", column.name, "' is declared twice");
    m_values[column.name];
  }
}

void Table::append(std::int64_t step, Record const& record) {
  require(m_steps.empty() || step > m_steps.back(), "a record of step ", step, " follows one of step ",
          m_steps.empty() ? 0 : m_steps.back());
  for (auto const& [name, cell] : record) {
    require(m_values.contains(name), "column '", name, "' was not declared");
  }
  for (auto& column : m_columns) {
    auto const found = record.find(column.name);
    require(found != record.end(), "the record of step ", step, " lacks column '", column.name, "'");
    auto const given = found->second.values().size();
    if (column.grows && given > column.width) widen(column, given);
    auto const width = std::max<std::size_t>(column.width, 1);
    require(given == width || (column.grows && given < width), "column '", column.name, "' takes ", width,
            " values per record, ", given, " are given");
  }
  m_steps.push_back(step);
  for (auto const& column : m_columns) {
    auto& values = m_values.at(column.name);
    auto const& given = record.at(column.name).values();
    values.insert(values.end(), given.begin(), given.end());
    values.resize(m_steps.size() * std::max<std::size_t>(column.width, 1), filler(column));
  }
}

void Table::widen(Column& column, std::size_t width) {
  auto const& narrow = m_values.at(column.name);
  std::vector<double> wide;
  for (std::size_t row = 0; row < m_steps.size(); ++row) {
    auto const begin = narrow.begin() + static_cast<std::ptrdiff_t>(row * column.width);
    wide.insert(wide.end(), begin, begin + static_cast<std::ptrdiff_t>(column.width));
    wide.resize((row + 1) * width, filler(column));
  }
  m_values.at(column.name) = std::move(wide);
  column.width = width;
}

void Table::redeclare(std::vector<Column> const& columns) {
  auto const named = [](std::vector<Column>& among, std::string const& name) {
    return std::find_if(among.begin(), among.end(), [&](Column const& column) { return column.name == name; });
  };
  auto wanted_columns = columns;
  for (auto const& present : m_columns) {
    require(named(wanted_columns, present.name) != wanted_columns.end(), "it has a column '", present.name,
            "', which the run does not write");
  }
  for (auto& wanted : wanted_columns) {
    auto const present = named(m_columns, wanted.name);
    if (present == m_columns.end()) {
      m_values[wanted.name].assign(m_steps.size() * std::max<std::size_t>(wanted.width, 1), filler(wanted));
      continue;
    }
    bool const fits = wanted.kind == present->kind && (wanted.grows || wanted.width == present->width);
    require(fits, "its column '", wanted.name, "' is of another kind or width");
    if (wanted.width > present->width) widen(*present, wanted.width);
    wanted.width = present->width;
  }
  m_columns = std::move(wanted_columns);
}

std::vector<double> const& Table::values(std::string const& column) const {
  auto const found = m_values.find(column);
  require(found != m_values.end(), "there is no column '", column, "'");
  return found->second;
}

void Table::write(hdf5::Group& group) const {
  auto step = group.write("step", m_steps, hdf5::Layout::extensible);
  step.make_scale("step");
  describe(step, "step t of the record, taken at the weights w_t before the update of that step", "1");
  for (auto const& column : m_columns) {
    auto dataset = write_column(group, column, m_steps.size(), m_values.at(column.name));
    describe(dataset, column.description, column.units);
    dataset.attach_scale(step);
  }
}

Table Table::read(hdf5::Group const& group) {
  std::vector<Column> columns;
  for (auto const& name : group.names()) {
    if (name != "step") columns.push_back(read_column(group.dataset(name), name));
  }
  Table table(columns);
  table.m_steps = group.read<std::int64_t>("step");
  require(std::is_sorted(table.m_steps.begin(), table.m_steps.end(), std::less_equal<>()), group.label(),
          "/step does not increase");
  for (auto const& column : columns) {
    auto const rows = group.dataset(column.name).shape()[0];
    require(rows == table.size(), group.label(), "/", column.name, " has ", rows, " records, ", table.size(),
            " expected");
    table.m_values[column.name] = group.read<double>(column.name);
  }
  return table;
}

std::vector<Column> step_columns(std::vector<std::string> const& names) {
  static std::vector<Column> const known = {
      {"loss", "objective f(w_t) that the tuner sees, weight decay included"},
      {"data_loss", "mean loss over the samples, without weight decay"},
      {"learning_rate", "learning rate eta used at w_t: w_{t+1} = w_t + eta u_t"},
      {"slope", "slope of the objective along the update at learning rate 1, g.u"},
      {"curvature", "curvature of the objective along the update, u.Hu"},
      {"gradient_norm", "Euclidean norm of the gradient of the objective"},
      {"update_norm", "Euclidean norm of the update u_t at learning rate 1"},
      {"update_cosine", "cosine of the angle between this update and the previous one; 0 at the first step"},
      {"evaluations", "losses and curvatures evaluated in this step besides its gradient", "1", Kind::integer},
      {"seconds", "wall time of this step, without measurements and output", "s"},
  };
  std::vector<Column> columns;
  for (auto const& name : names) {
    auto const found =
        std::find_if(known.begin(), known.end(), [&](Column const& column) { return column.name == name; });
    require(found != known.end(), "/steps has no column '", name, "'");
    columns.push_back(*found);
  }
  return columns;
}

std::vector<Column> evaluation_columns(bool with_test_data) {
  std::vector<Column> columns = {{"train_accuracy", "fraction of training samples classified rightly"}};
  if (with_test_data) {
    columns.push_back({"test_loss", "mean loss over the test samples, without weight decay"});
    columns.push_back({"test_accuracy", "fraction of test samples classified rightly"});
  }
  return columns;
}

std::vector<Column> gain_columns() {
  return {
      {"greedy", "objective after a step along u_t that is greedy for the quadratic model, f(w_t - (g.u/|u.Hu|) u_t)"},
      {"on_edge", "objective after a step of twice that length, which is on the edge"}};
}

std::vector<Column> sharpness_columns(std::size_t count, std::vector<std::string> const& solvers) {
  std::string numbers;
  for (std::size_t i = 0; i < solvers.size(); ++i)
    numbers += (i == 0 ? "" : ", ") + std::to_string(i + 1) + " " + solvers[i];
  return {
      {"eigenvalues",
       "largest eigenvalues of the operator, descending (of the negative Hessian: the most negative "
       "ones of the Hessian, ascending); NaN beyond as many as were asked for",
       "1", Kind::real, count, true},
      {"residuals",
       "norm of (operator - eigenvalue) applied to the unit eigenvector, divided by |eigenvalue|; not below what the "
       "precision of the vectors can show",
       "1", Kind::real, count, true},
      {"converged", "1 where the eigenvalue met the tolerance", "1", Kind::integer, count, true},
      {"hvps", "products of the operator with a vector spent", "1", Kind::integer},
      {"solver", "number of the solver that gave the eigenvalues: " + numbers + "; 0: not recorded", "1",
       Kind::integer},
      {"edge",
       "learning rate times the first eigenvalue; of the largest one, the edge of stability is 2 for gradient descent"},
      {"alignment",
       "|cosine| of the angle between the update and the eigenvector of the first eigenvalue; for the "
       "preconditioned Hessian, of P^1/2 times the update"},
      {"seconds", "wall time of this measurement", "s"},
  };
}

}  // namespace onedge::io
