package main

import (
	"encoding/json"
	"errors"
	"io"
	"os"
)

// Makes the calls of stdin, one after the other.
func ask() error {
	clients := map[access]*client{}
	in, out := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	for {
		var r request
		if err := in.Decode(&r); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		c := clients[r.access]
		if c == nil {
			made, err := newClient(r.access)
			if err != nil {
				return err
			}
			c, clients[r.access] = made, made
		}
		if err := out.Encode(c.do(r)); err != nil {
			return err
		}
	}
}
