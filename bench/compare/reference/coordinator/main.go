// The reference server without its drivers for service registries and without its admin page. It is
// for the tests that share a store with it: the drivers bring in packages that take minutes to
// compile.
package main

import (
	"os"
	"os/signal"
	"syscall"

	"github.com/dtm-labs/dtm/dtmsvr/entry"
)

func main() {
	version := "v1.19.0"
	if app, _ := entry.Main(&version); app == nil {
		return
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGINT, syscall.SIGTERM)
	<-stop
}
