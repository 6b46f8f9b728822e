#pragma once
// Kokkos, and the only place that asks for its version: 3.4.1 (Debian 12) up to 5.x.
#include <Kokkos_Core.hpp>

#include <string>
#include <string_view>

namespace onedge {

/// Where kernels run when nothing else is said, and where the host's own kernels run.
using DefaultSpace = Kokkos::DefaultExecutionSpace;
using HostSpace = Kokkos::DefaultHostExecutionSpace;

template <class Space>
inline constexpr bool is_host_space =
    Kokkos::SpaceAccessibility<Kokkos::HostSpace, typename Space::memory_space>::accessible;

/// Owning, contiguous arrays in the memory of Space. Matrices are row-major.
template <class T, class Space>
using Vector = Kokkos::View<T*, Kokkos::LayoutRight, typename Space::memory_space>;
template <class T, class Space>
using Matrix = Kokkos::View<T**, Kokkos::LayoutRight, typename Space::memory_space>;

/// Non-owning windows into such arrays.
template <class T, class Space>
using VectorWindow =
    Kokkos::View<T*, Kokkos::LayoutRight, typename Space::memory_space, Kokkos::MemoryTraits<Kokkos::Unmanaged>>;
template <class T, class Space>
using MatrixWindow =
    Kokkos::View<T**, Kokkos::LayoutRight, typename Space::memory_space, Kokkos::MemoryTraits<Kokkos::Unmanaged>>;

/// An array whose contents are not set: for what is written before it is read.
template <class View, class... Extents>
View uninitialised(std::string const& label, Extents... extents) {
  return View(Kokkos::view_alloc(label, Kokkos::WithoutInitializing), extents...);
}

/// Iterations 0 … count−1 on an instance of an execution space.
template <class Space>
auto range(Space const& space, std::size_t count) {
  return Kokkos::RangePolicy<Space, Kokkos::IndexType<std::size_t>>(space, 0, count);
}

/// A region "onedge::OWNER::WHAT" in Kokkos' profiling tools for the life of the object. Costs next to nothing where
/// nobody listens.
class ScopedRegion {
 public:
  ScopedRegion(std::string_view owner, std::string_view what) : m_is_heard(Kokkos::Profiling::profileLibraryLoaded()) {
    if (m_is_heard) Kokkos::Profiling::pushRegion(std::string("onedge::").append(owner).append("::").append(what));
  }
  ~ScopedRegion() {
    if (m_is_heard) Kokkos::Profiling::popRegion();
  }
  ScopedRegion(ScopedRegion const&) = delete;
  ScopedRegion& operator=(ScopedRegion const&) = delete;

 private:
  bool m_is_heard;
};

// Explicit instantiation of what is templated on (precision, execution space): the host's space always, the device's
// where there is one.
#if defined(KOKKOS_ENABLE_CUDA)
#define ONEDGE_FOR_EACH_BACKEND(INSTANTIATE) \
  INSTANTIATE(float, ::onedge::HostSpace)    \
  INSTANTIATE(double, ::onedge::HostSpace)   \
  INSTANTIATE(float, ::onedge::DefaultSpace) \
  INSTANTIATE(double, ::onedge::DefaultSpace)
#else
#define ONEDGE_FOR_EACH_BACKEND(INSTANTIATE) \
  INSTANTIATE(float, ::onedge::HostSpace)    \
  INSTANTIATE(double, ::onedge::HostSpace)
#endif

}  // namespace onedge
