#include <onedge/core/version.hpp>
#include <onedge/hdf5/publish.hpp>
#include <onedge/io/spectrum_file.hpp>

#include <span>

namespace onedge::io {

namespace {

template <class T>
void write_described(hdf5::Group& group, std::string const& name, std::vector<T> const& values,
                     hdf5::Shape const& shape, std::string const& description) {
  auto dataset = group.write(name, std::span<T const>(values), shape);
  dataset.write_attribute("description", description);
  dataset.write_attribute("units", "1");
}

void write_eigenvectors(hdf5::Group& group, std::vector<Values> const& eigenvectors) {
  for (std::size_t i = 0; i < eigenvectors.size(); ++i) {
    std::visit(
        [&](auto const& values) {
          write_described(group, "eigenvector_" + std::to_string(i), values, {values.size()},
                          "unit eigenvector of that eigenvalue, over all parameters in the order of the tensors");
        },
        eigenvectors[i]);
  }
}

void write_operator(hdf5::Group group, OperatorSpectrum const& found) {
  std::size_t const count = found.eigenvalues.size();
  std::vector<std::int64_t> const converged(found.converged.begin(), found.converged.end());
  group.write_attribute("products", found.products);
  group.write_attribute("seconds", found.seconds);
  group.write_attribute("solver", found.solver);
  write_described(group, "eigenvalues", found.eigenvalues, {count}, "eigenvalues, the most extreme one first");
  write_described(group, "residuals", found.residuals, {count},
                  "norm of (operator - eigenvalue) applied to the unit eigenvector, divided by |eigenvalue|");
  write_described(group, "converged", converged, {count}, "1 where the eigenvalue met the tolerance");
  write_eigenvectors(group, found.eigenvectors);
  if (!found.density) return;
  hdf5::Shape const shape{found.density->probes, found.density->steps};
  write_described(
      group, "density_nodes", found.density->nodes, shape,
      "Ritz values of stochastic Lanczos quadrature, one row for each random vector; of the negative Hessian, those of "
      "the Hessian");
  write_described(
      group, "density_weights", found.density->weights, shape,
      "their weights: the density of eigenvalues is the mean over rows of sum_i weight_i delta(x - node_i)");
}

}  // namespace

void publish(std::filesystem::path const& path, SpectrumFile const& contents) {
  hdf5::publish(path, [&](hdf5::File& file) {
    file.write_attribute("format_version", SpectrumFile::format_version);
    file.write_attribute("software_version", software_version());
    file.write_attribute("git_revision", git_revision());
    file.write_attribute("checkpoint", contents.checkpoint);
    file.write_attribute("deck", contents.deck);
    file.write_attribute("command_line", contents.command_line);
    file.write_attribute("precision", to_string(contents.precision));
    file.write_attribute("step", contents.step);
    file.write_attribute("parameters", contents.parameters);
    file.write_attribute("samples", contents.samples);
    file.write_attribute("edge", contents.edge);
    file.write_attribute("micro_batch", contents.micro_batch);
    if (!contents.train_data.empty()) file.write_attribute("train_data", contents.train_data);
    if (!contents.checkpoint_train_data.empty()) {
      file.write_attribute("checkpoint_train_data", contents.checkpoint_train_data);
    }
    for (auto const& found : contents.operators) write_operator(file.create_group(found.name), found);
  });
}

}  // namespace onedge::io
