#include <onedge/core/error.hpp>
#include <onedge/linalg/matmul.hpp>

#include <cblas.h>
#include <dnnl.h>

#include <algorithm>
#include <fstream>
#include <sstream>

namespace onedge::linalg {

namespace {

std::string processor() {
  std::ifstream information("/proc/cpuinfo");
  for (std::string line; std::getline(information, line);) {
    auto const colon = line.find(": ");
    if (line.rfind("model name", 0) == 0 && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown processor";
}

std::string one_dnn() {
  auto const* const version = dnnl_version();
  auto const isa = dnnl_get_effective_cpu_isa();
  std::ostringstream number;
  number << "instructions 0x" << std::hex << static_cast<unsigned>(isa);
  std::string const instructions = isa == dnnl_cpu_isa_avx2               ? "AVX2"
                                   : isa == dnnl_cpu_isa_avx512_core      ? "AVX-512"
                                   : isa == dnnl_cpu_isa_avx512_core_vnni ? "AVX-512 VNNI"
                                   : isa == dnnl_cpu_isa_avx512_core_bf16 ? "AVX-512 bfloat16"
                                   : isa == dnnl_cpu_isa_avx512_core_amx  ? "AMX"
                                                                          : number.str();
  return concat("oneDNN ", version->major, ".", version->minor, ".", version->patch, " ", instructions);
}

std::string blas() {
#if defined(OPENBLAS_VERSION)
  std::string config = openblas_get_config();  // "OpenBLAS 0.3.21 NO_LAPACKE … Zen MAX_THREADS=64"
  auto const version = config.find(' ');
  return concat(config.substr(0, config.find(' ', version + 1)), " ", openblas_get_corename());
#else
  return "BLAS";
#endif
}

}  // namespace

std::string host_arithmetic() {
  std::string text = concat(processor(), "; ", one_dnn(), "; ", blas());
  std::replace(text.begin(), text.end(), ',', ' ');
  return text;
}

}  // namespace onedge::linalg
