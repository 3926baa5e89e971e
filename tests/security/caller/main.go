// Calls a coordinator over HTTP and gRPC, with and without TLS, certificates and tokens; and serves
// branches over TLS. For the tests of this directory.
//
//	caller ask < requests              each request once; the answers are on stdout
//	caller load lanes.json             until stdin ends; each line there asks for a report
//	caller serve -shown both.pem -ca ca.pem
package main

import (
	"fmt"
	"os"
	"time"
)

const timeLimit = 20 * time.Second

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(arguments []string) error {
	switch {
	case len(arguments) == 1 && arguments[0] == "ask":
		return ask()
	case len(arguments) == 2 && arguments[0] == "load":
		return load(arguments[1])
	case len(arguments) > 0 && arguments[0] == "serve":
		return serve(arguments[1:])
	}
	return fmt.Errorf("usage: caller ask, or caller load lanes.json, or caller serve options")
}
