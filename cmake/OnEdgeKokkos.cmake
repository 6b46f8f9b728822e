# Debian's Trilinos computes Kokkos' include path from a prefix that holds for an unpackaged installation only.
get_target_property(kokkos_include Kokkos::kokkos INTERFACE_INCLUDE_DIRECTORIES)
if(kokkos_include AND NOT kokkos_include MATCHES "\\$<" AND NOT EXISTS "${kokkos_include}")
  set_target_properties(Kokkos::kokkos PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${Kokkos_INCLUDE_DIRS}")
endif()
unset(kokkos_include)
