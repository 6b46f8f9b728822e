cmake_minimum_required(VERSION 3.25)
# Run at every build: writes the git revision into a header, and touches it only when it changed.
execute_process(COMMAND git -C ${SOURCE} describe --always --dirty --abbrev=12 --match=v[0-9]*
  OUTPUT_VARIABLE revision OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
if(failed)
  set(revision unknown)
endif()
file(CONFIGURE OUTPUT ${OUTPUT} @ONLY CONTENT
"#define ONEDGE_VERSION \"@VERSION@\"
#define ONEDGE_REVISION \"@revision@\"
")
