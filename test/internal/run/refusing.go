package run

import (
	"net"
	"testing"
)

// Refusing is an address, host:port, that refuses every connection until the test ends.
// It is the local end of a connection to a listener: nothing listens there, and no other
// program gets the port, as could happen if a listener were only closed.
func Refusing(t testing.TB) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	held, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = held.Close() })
	return held.LocalAddr().String()
}
