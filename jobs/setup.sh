# Sourced by scripts: installs what jobs/packages.txt lists, or says what is missing.

# onedge_setup ROOT GROUP…: makes sure that the Debian packages of these groups are installed. As root, or where sudo
# asks for no password, it installs them; otherwise it prints the list and ends the script.
onedge_setup() {
  local root=$1 missing=() package groups
  shift
  groups=" $* "
  if ! command -v dpkg-query >/dev/null; then
    echo "This is no Debian: have what $root/jobs/packages.txt lists, in your system's own packages." >&2
    return 0
  fi
  while read -r group package; do
    [[ $group == "#"* || -z $group || $groups != *" $group "* ]] && continue
    [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || missing+=("$package")
  done <"$root/jobs/packages.txt"
  [[ ${#missing[@]} -eq 0 ]] && return 0

  local sudo=()
  if [[ $(id -u) -ne 0 ]]; then
    if ! sudo -n true 2>/dev/null; then
      printf 'These packages are missing, and installing them needs root:\n\n  sudo apt-get install' >&2
      printf ' %s' "${missing[@]}" >&2
      printf '\n\nThen run this again.\n' >&2
      exit 1
    fi
    sudo=(sudo -n)
  fi
  echo "== Installing ${#missing[@]} packages: ${missing[*]}"
  "${sudo[@]}" apt-get update -q
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}"
}

# Lets mpirun start as root (containers).
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
