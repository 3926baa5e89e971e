package main

import (
	"fmt"
	"net"
	"os"
)

// Serves in the background on an address that a test chose; without it nothing can go on.
func listen(address string, serve func(net.Listener) error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	go serve(listener)
}
