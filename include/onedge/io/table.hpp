#pragma once
// The records of one cadence: a group of equally long columns of the trajectory.
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace onedge::hdf5 {
class Group;
}

namespace onedge::io {

/// One dataset of a table and the text that stands beside it in the file.
struct Column {
  enum class Kind { real, integer };

  std::string name;
  std::string description;
  std::string units = "1";
  Kind kind = Kind::real;  ///< integers are exact up to 2^53
  std::size_t width = 0;   ///< 0: one value per record; n: n values per record, stored as [record, n]
  /// The width is that of the widest record: narrower ones end in NaN (integers: 0). Not stored in files.
  bool grows = false;

  bool operator==(Column const&) const = default;
};

/// The value, or values, of one column in one record.
class Cell {
 public:
  template <class Number>
  requires std::is_arithmetic_v<Number> Cell(Number value)
      : m_values{static_cast<double>(value)} {}                      // NOLINT(google-explicit-constructor)
  Cell(std::vector<double> values) : m_values(std::move(values)) {}  // NOLINT(google-explicit-constructor)
  std::vector<double> const& values() const { return m_values; }

 private:
  std::vector<double> m_values;
};

/// Column name → value.
using Record = std::map<std::string, Cell>;

class Table {
 public:
  explicit Table(std::vector<Column> columns);

  /// Adds the record of one step. Error unless the step is later than the last one and exactly the declared columns are
  /// given, each in its width (where it does not grow).
  void append(std::int64_t step, Record const& record);

  std::size_t size() const { return m_steps.size(); }
  std::vector<Column> const& columns() const { return m_columns; }
  std::vector<std::int64_t> const& steps() const { return m_steps; }
  /// All values of a column, row-major; Error when there is none of that name.
  std::vector<double> const& values(std::string const& column) const;

  /// Takes over what the run now says of its columns; new ones begin with NaN (integers: 0) in the records that are
  /// there. Error where one is missing, or of another kind, or of another width and does not grow.
  void redeclare(std::vector<Column> const& columns);

  /// Writes `step` as a dimension scale and every column with it attached, description and units as attributes.
  void write(hdf5::Group& group) const;
  /// What write() wrote. Error when columns differ in length.
  static Table read(hdf5::Group const& group);

 private:
  void widen(Column& column, std::size_t width);

  std::vector<Column> m_columns;
  std::vector<std::int64_t> m_steps;
  std::map<std::string, std::vector<double>> m_values;
};

/// The columns that `/steps` may have, by name, in the order given: loss, data_loss, learning_rate, slope, curvature,
/// gradient_norm, update_norm, update_cosine, evaluations, seconds. Error for any other name.
std::vector<Column> step_columns(std::vector<std::string> const& names);
/// The columns of `/evaluation`: train_accuracy and, where there are test data, test_loss and test_accuracy.
std::vector<Column> evaluation_columns(bool with_test_data);
/// The columns of `/gain`: greedy, on_edge.
std::vector<Column> gain_columns();
/// The columns of `/sharpness` and of the tables of other operators, for that many eigenvalues; they grow. `solvers`:
/// by name, the first is number 1.
std::vector<Column> sharpness_columns(std::size_t count, std::vector<std::string> const& solvers = {});

}  // namespace onedge::io
