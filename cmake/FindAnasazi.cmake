# Anasazi and Teuchos, as the target OnEdge::Anasazi.
#
# A modern Trilinos exports Anasazi::all_libs. Debian's 13.2 exports plain library names, and its configuration file asks
# for packages that Debian does not ship. The templates used here need only Teuchos: so there, headers plus Teuchos.
include(FindPackageHandleStandardArgs)
find_path(ANASAZI_CONFIG_DIR AnasaziConfig.cmake HINTS ${Anasazi_DIR}
  PATH_SUFFIXES lib/cmake/Anasazi lib64/cmake/Anasazi lib/${CMAKE_LIBRARY_ARCHITECTURE}/cmake/Anasazi)
set(modern "")
if(ANASAZI_CONFIG_DIR)
  file(STRINGS ${ANASAZI_CONFIG_DIR}/AnasaziConfig.cmake modern REGEX "Anasazi::all_libs")
endif()
if(modern)
  find_package(Anasazi CONFIG REQUIRED HINTS ${ANASAZI_CONFIG_DIR})
  find_package_handle_standard_args(Anasazi REQUIRED_VARS ANASAZI_CONFIG_DIR)
  set(libraries Anasazi::all_libs)
else()
  find_package(TeuchosNumerics CONFIG QUIET)
  find_package(TeuchosParameterList CONFIG QUIET)
  find_path(ANASAZI_INCLUDE_DIR AnasaziBlockKrylovSchurSolMgr.hpp PATH_SUFFIXES trilinos)
  find_package_handle_standard_args(Anasazi
    REQUIRED_VARS ANASAZI_INCLUDE_DIR TeuchosNumerics_DIR TeuchosParameterList_DIR)
  set(libraries ${TeuchosNumerics_LIBRARIES} ${TeuchosParameterList_LIBRARIES})
endif()
if(Anasazi_FOUND AND NOT TARGET OnEdge::Anasazi)
  add_library(OnEdge::Anasazi INTERFACE IMPORTED)
  target_link_libraries(OnEdge::Anasazi INTERFACE ${libraries})
  if(NOT modern)
    # -idirafter: this folder also holds an old Kokkos, which must not win over the one that was asked for.
    target_compile_options(OnEdge::Anasazi INTERFACE "SHELL:-idirafter ${ANASAZI_INCLUDE_DIR}")
  endif()
endif()
