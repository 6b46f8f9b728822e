#include <onedge/spectrum/vector_pool.hpp>

#include <algorithm>

namespace onedge::spectrum {

template <class Real, class Space>
std::shared_ptr<Matrix<Real, Space>> VectorPool<Real, Space>::take(int columns) {
  auto const rows = static_cast<std::size_t>(columns);
  auto const found = std::find_if(m_storages.begin(), m_storages.end(), [&](auto const& storage) {
    return storage.use_count() == 1 && storage->extent(0) == rows;
  });
  if (found != m_storages.end()) return *found;
  m_storages.push_back(std::make_shared<Matrix<Real, Space>>(
      uninitialised<Matrix<Real, Space>>("onedge::VectorPool::vectors", rows, m_layout.local())));
  return m_storages.back();
}

#define ONEDGE_INSTANTIATE(Real, Space) template class VectorPool<Real, Space>;
ONEDGE_FOR_EACH_BACKEND(ONEDGE_INSTANTIATE)
#undef ONEDGE_INSTANTIATE

}  // namespace onedge::spectrum
