// The functions of CUDA and NCCL that our communicator calls, without a device behind them.
#include "fake_nccl.hpp"

#include <cuda_runtime_api.h>
#include <nccl.h>

#include <algorithm>
#include <thread>

namespace onedge::test {

int FakeNccl::place_of(std::string const& call) {
  std::lock_guard const lock(mutex);
  auto const found = std::find(calls.begin(), calls.end(), call);
  return found == calls.end() ? -1 : static_cast<int>(found - calls.begin());
}

FakeNccl& fake_nccl() {
  static FakeNccl the_fake;  // C functions can reach nothing else
  return the_fake;
}

}  // namespace onedge::test

namespace {

ncclResult_t done(char const* call) {
  onedge::test::fake_nccl().note(call);
  return ncclSuccess;
}

template <class Handle>
cudaError_t make(Handle* handle) {
  static int memory;
  *handle = reinterpret_cast<Handle>(&memory);
  return cudaSuccess;
}

}  // namespace

extern "C" {

char const* ncclGetErrorString(ncclResult_t) { return "fake"; }
char const* ncclGetLastError(ncclComm_t) { return "fake"; }
ncclResult_t ncclGetVersion(int* version) { return *version = 22809, ncclSuccess; }
ncclResult_t ncclGroupStart() { return ncclSuccess; }
ncclResult_t ncclGroupEnd() { return ncclSuccess; }
ncclResult_t ncclGetUniqueId(ncclUniqueId*) { return ncclSuccess; }
ncclResult_t ncclCommInitRank(ncclComm_t* comm, int, ncclUniqueId, int) { return make(comm), done("ncclCommInitRank"); }
ncclResult_t ncclCommDestroy(ncclComm_t) {
  std::this_thread::sleep_for(onedge::test::fake_nccl().destroy_takes);
  return done("ncclCommDestroy");
}
ncclResult_t ncclCommGetAsyncError(ncclComm_t, ncclResult_t* error) {
  *error = ncclSuccess;
  return done("ncclCommGetAsyncError");
}
ncclResult_t ncclAllReduce(void const*, void*, std::size_t, ncclDataType_t, ncclRedOp_t, ncclComm_t, cudaStream_t) {
  std::this_thread::sleep_for(onedge::test::fake_nccl().all_reduce_takes);
  return done("ncclAllReduce");
}
ncclResult_t ncclSend(void const*, std::size_t, ncclDataType_t, int, ncclComm_t, cudaStream_t) {
  return done("ncclSend");
}
ncclResult_t ncclRecv(void*, std::size_t, ncclDataType_t, int, ncclComm_t, cudaStream_t) { return done("ncclRecv"); }
ncclResult_t ncclAllGather(void const*, void*, std::size_t, ncclDataType_t, ncclComm_t, cudaStream_t) {
  return done("ncclAllGather");
}
ncclResult_t ncclBroadcast(void const*, void*, std::size_t, ncclDataType_t, int, ncclComm_t, cudaStream_t) {
  return done("ncclBroadcast");
}
ncclResult_t ncclReduceScatter(void const*, void*, std::size_t, ncclDataType_t, ncclRedOp_t, ncclComm_t, cudaStream_t) {
  return done("ncclReduceScatter");
}
ncclResult_t ncclReduce(void const*, void*, std::size_t, ncclDataType_t, ncclRedOp_t, int, ncclComm_t, cudaStream_t) {
  return done("ncclReduce");
}

char const* cudaGetErrorString(cudaError_t) { return "fake"; }
cudaError_t cudaGetDevice(int* device) { return *device = 0, cudaSuccess; }
cudaError_t cudaSetDevice(int) { return cudaSuccess; }
cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) { return make(stream); }
cudaError_t cudaStreamSynchronize(cudaStream_t) { return done("cudaStreamSynchronize"), cudaSuccess; }
cudaError_t cudaStreamWaitEvent(cudaStream_t, cudaEvent_t, unsigned) { return cudaSuccess; }
cudaError_t cudaStreamDestroy(cudaStream_t) { return done("cudaStreamDestroy"), cudaSuccess; }
cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) { return make(event); }
cudaError_t cudaEventRecord(cudaEvent_t, cudaStream_t) { return cudaSuccess; }
cudaError_t cudaEventQuery(cudaEvent_t) { return cudaSuccess; }
cudaError_t cudaEventDestroy(cudaEvent_t) { return done("cudaEventDestroy"), cudaSuccess; }
}
