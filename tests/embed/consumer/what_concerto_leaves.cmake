# What a project with Concerto as a subdirectory finds in its own configuration: targets with the
# prefix concerto_ and no programs or tests of Concerto, and none of Concerto's settings.

# concerto_targets(<result> <directory>): the targets of the directory and those below.
function(concerto_targets result dir)
  get_property(targets DIRECTORY ${dir} PROPERTY BUILDSYSTEM_TARGETS)
  get_property(below DIRECTORY ${dir} PROPERTY SUBDIRECTORIES)
  foreach(subdirectory IN LISTS below)
    concerto_targets(more ${subdirectory})
    list(APPEND targets ${more})
  endforeach()
  set(${result} ${targets} PARENT_SCOPE)
endfunction()

concerto_targets(left ${concerto_SOURCE_DIR})
foreach(target IN LISTS left)
  get_target_property(type ${target} TYPE)
  if(NOT target MATCHES "^concerto_" OR type STREQUAL "EXECUTABLE")
    message(FATAL_ERROR "Concerto leaves the target ${target}")
  endif()
endforeach()

foreach(property COMPILE_OPTIONS COMPILE_DEFINITIONS LINK_OPTIONS INCLUDE_DIRECTORIES TESTS)
  get_directory_property(left ${property})
  if(left)
    message(FATAL_ERROR "Concerto leaves ${property}: ${left}")
  endif()
endforeach()

foreach(target concerto_base concerto_core concerto_persist)
  get_target_property(left ${target} INTERFACE_COMPILE_OPTIONS)
  get_target_property(defined ${target} INTERFACE_COMPILE_DEFINITIONS)
  if(left OR defined)
    message(FATAL_ERROR "${target} gives its users ${left} ${defined}")
  endif()
endforeach()

foreach(variable BUILD_SHARED_LIBS BUILD_TESTING CMAKE_CXX_STANDARD CMAKE_COMPILE_WARNING_AS_ERROR
                 CMAKE_RUNTIME_OUTPUT_DIRECTORY CMAKE_MODULE_PATH)
  if(DEFINED ${variable})
    message(FATAL_ERROR "Concerto leaves ${variable}=${${variable}}")
  endif()
endforeach()
