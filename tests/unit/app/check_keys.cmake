# Fails when DOCUMENT is not what `PROGRAM info --keys` prints.
execute_process(COMMAND ${PROGRAM} info --keys OUTPUT_VARIABLE printed COMMAND_ERROR_IS_FATAL ANY)
file(READ ${DOCUMENT} written)
if(NOT printed STREQUAL written)
  message(FATAL_ERROR "${DOCUMENT} is out of date; write it anew: onedge info --keys > docs/keys.md")
endif()
