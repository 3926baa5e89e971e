package participant

import (
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// Gates are points at which a test may hold a call. A gate is closed while a file of its name is in
// this directory.
type Gates string

// Pass prints a line and waits if the gate is closed.
func (g Gates) Pass(gate, gid string) {
	file := filepath.Join(string(g), gate)
	for told := false; exists(file); time.Sleep(5 * time.Millisecond) {
		if !told {
			fmt.Printf("held at %s: %s\n", gate, gid)
			told = true
		}
	}
}

func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}
