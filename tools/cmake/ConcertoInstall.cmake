# What `cmake --install` installs: programs, libraries, headers (by FILE_SET) and the package files
# for find_package(Concerto CONFIG [COMPONENTS base core transport protocol persist testing]). There
# is one export per room, so that a program that embeds the core alone needs no OpenSSL or protobuf.
# ConcertoTesting.cmake installs the component testing.

include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/Concerto)

# The barriers of the databases that this configuration builds.
set(concerto_barriers barrier)
foreach(database postgres mysql sqlite redis)
  if(TARGET concerto_barrier_${database})
    list(APPEND concerto_barriers barrier_${database})
  endif()
endforeach()

foreach(room base core transport protocol persist ${concerto_barriers})
  install(
    TARGETS concerto_${room}
    EXPORT concerto_${room}
    FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(EXPORT concerto_${room} FILE concerto-${room}.cmake NAMESPACE concerto::
          DESTINATION ${package_dir})
endforeach()

configure_package_config_file(
  ${CMAKE_CURRENT_LIST_DIR}/ConcertoConfig.cmake.in ${PROJECT_BINARY_DIR}/ConcertoConfig.cmake
  INSTALL_DESTINATION ${package_dir} NO_SET_AND_CHECK_MACRO)
# Before 1.0 a minor version may change the interface.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/ConcertoConfigVersion.cmake
                                 COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/ConcertoConfig.cmake
              ${PROJECT_BINARY_DIR}/ConcertoConfigVersion.cmake DESTINATION ${package_dir})
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
