#!/usr/bin/env bash
# Carries programs with the libraries that they need to a machine that lacks MPI, HDF5 or CUDA's libraries:
#   jobs/bundle.sh DIR [PROGRAM …]        (default: build/cuda/bin/onedge, else build/release/bin/onedge)
# On the other machine, DIR/run PROGRAM ARGUMENTS… starts one of them on one rank. It needs a C library that is not older
# than this machine's, and for GPUs a driver. OpenMPI comes along as far as one rank needs it.
set -euo pipefail
if [[ $# -eq 0 || $1 == -* ]]; then
  sed -n '2,5s/^# //p' "$0" >&2
  exit 2
fi
root=$(cd "$(dirname "$0")/.." && pwd)
target=$1
shift
if [[ $# -eq 0 ]]; then
  for preset in cuda release; do
    [[ -x $root/build/$preset/bin/onedge ]] && set -- "$root/build/$preset/bin/onedge" && break
  done
  [[ $# -gt 0 ]] || { echo "bundle.sh: nothing is built in $root/build: name programs" >&2; exit 1; }
fi
mkdir -p "$target/bin" "$target/lib"
cp -L "$@" "$target/bin"

# The C library and the driver belong to the machine.
belongs_to_machine='^(ld-linux.*|libc|libm|libdl|librt|libpthread|libresolv|libutil|libmvec|libcuda|libnvidia-.*)\.so'
copy_libraries() {
  ldd "$@" | awk '$2 == "=>" && $3 ~ /^\// { print $1, $3 } $3 == "not" { print "bundle.sh: not found: " $1 > "/dev/stderr" }' |
    sort -u | while read -r name path; do
    [[ $name =~ $belongs_to_machine || -e $target/lib/$name ]] || cp -L "$path" "$target/lib/$name"
  done
}
copy_libraries "$@"

# OpenMPI opens plugins by name.
if command -v ompi_info > /dev/null; then
  plugins=$(ompi_info --path pkglibdir --parsable | sed 's/.*://')
  data=$(ompi_info --path pkgdatadir --parsable | sed 's/.*://')
  mkdir -p "$target/openmpi/lib/openmpi" "$target/openmpi/share/openmpi"
  cp -L "$plugins"/*.so "$target/openmpi/lib/openmpi/"
  [[ -d $data ]] && cp -rL "$data/." "$target/openmpi/share/openmpi/"
  copy_libraries "$target"/openmpi/lib/openmpi/*.so
fi

cat > "$target/run" << 'RUN'
#!/usr/bin/env bash
# run PROGRAM ARGUMENTS…: a program of this bundle with its libraries, on one rank.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export LD_LIBRARY_PATH=$here/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH} OPAL_PREFIX=$here/openmpi
export OMPI_MCA_mca_component_path=$here/openmpi/lib/openmpi
# One rank by itself: no daemon, no network.
export OMPI_MCA_ess_singleton_isolated=1 OMPI_MCA_pml=ob1 OMPI_MCA_btl=self
program=$1
shift
exec "$here/bin/$program" "$@"
RUN
chmod +x "$target/run"
echo "$target: $(du -sh "$target" | cut -f1), start with $target/run $(basename "$1") …"
