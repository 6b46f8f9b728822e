# cmake --install: bin/onedge, the library with its headers, the CMake package `onedge`, and share/onedge with the decks
# and the Python readers.
include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/onedge)

install(TARGETS onedge EXPORT onedgeTargets)
if(TARGET onedge_program)
  install(TARGETS onedge_program)
endif()
install(DIRECTORY include/onedge DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.hpp")
install(EXPORT onedgeTargets NAMESPACE onedge:: DESTINATION ${package_dir})
configure_package_config_file(cmake/onedgeConfig.cmake.in onedgeConfig.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/onedgeConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/onedgeConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/onedgeConfigVersion.cmake
              cmake/OnEdgeKokkos.cmake cmake/FindNCCL.cmake
        DESTINATION ${package_dir})

install(DIRECTORY inputs postprocess DESTINATION ${CMAKE_INSTALL_DATADIR}/onedge USE_SOURCE_PERMISSIONS
        PATTERN "__pycache__" EXCLUDE)
install(FILES README.md LICENSE CITATION.cff DESTINATION ${CMAKE_INSTALL_DOCDIR})
