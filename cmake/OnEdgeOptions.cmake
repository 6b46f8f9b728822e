# Build type, warnings, instruction set and sanitizers, as one interface target.
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()
# Kokkos' and Trilinos' assertions follow their own macros; ours stay on in release builds too.
string(REPLACE "-O2" "-O3" CMAKE_CXX_FLAGS_RELWITHDEBINFO "${CMAKE_CXX_FLAGS_RELWITHDEBINFO}")

add_library(onedge_options INTERFACE)
target_compile_options(onedge_options INTERFACE
  $<$<CXX_COMPILER_ID:GNU,Clang>:-Wall -Wextra $<$<NOT:$<BOOL:${ONEDGE_CUDA}>>:-Wpedantic -Wshadow>>)
if(ONEDGE_WERROR)
  target_compile_options(onedge_options INTERFACE -Werror)
endif()
if(ONEDGE_ARCH STREQUAL "native")
  target_compile_options(onedge_options INTERFACE -march=native)
elseif(NOT ONEDGE_ARCH STREQUAL "portable")
  message(FATAL_ERROR "ONEDGE_ARCH is '${ONEDGE_ARCH}'; it must be native or portable")
endif()
if(ONEDGE_SANITIZE)
  target_compile_options(onedge_options INTERFACE -fsanitize=${ONEDGE_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(onedge_options INTERFACE -fsanitize=${ONEDGE_SANITIZE})
endif()

# Kernel files may reorder sums and use vector versions of exp, tanh, ... (glibc's libmvec asks for __FAST_MATH__), but
# NaN and infinity keep their meaning everywhere: a diverged run must be noticed. Left alone, GCC uses half of AVX-512's
# width, at half the speed.
include(CheckCXXCompilerFlag)
check_cxx_compiler_flag(-mprefer-vector-width=512 ONEDGE_HAS_PREFER_VECTOR_WIDTH)
function(onedge_kernel_sources)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND NOT ONEDGE_CUDA AND NOT ONEDGE_SANITIZE)
    set_property(SOURCE ${ARGN} TARGET_DIRECTORY onedge APPEND PROPERTY COMPILE_OPTIONS
      -fopenmp-simd -ffast-math -fno-finite-math-only -D__FAST_MATH__=1
      $<$<BOOL:${ONEDGE_HAS_PREFER_VECTOR_WIDTH}>:-mprefer-vector-width=512>)
  endif()
endfunction()
