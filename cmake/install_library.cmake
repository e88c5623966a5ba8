# libzeropoint where other projects find it: find_package(Zeropoint), target Zeropoint::zeropoint, and
# pkg-config zeropoint.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/Zeropoint)
install(TARGETS libzeropoint EXPORT Zeropoint COMPONENT library
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
        INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY include/zeropoint DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT library)
install(EXPORT Zeropoint NAMESPACE Zeropoint:: FILE ZeropointConfig.cmake
        DESTINATION ${package_folder} COMPONENT library)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/ZeropointConfigVersion.cmake
                                 COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/ZeropointConfigVersion.cmake DESTINATION ${package_folder}
        COMPONENT library)
file(RELATIVE_PATH folders_up /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
configure_file(cmake/zeropoint.pc.in ${PROJECT_BINARY_DIR}/zeropoint.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/zeropoint.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig
        COMPONENT library)
