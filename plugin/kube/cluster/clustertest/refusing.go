package clustertest

import "net"

// Refusing is an address, host:port, that refuses every connection until release is
// called. It is the local end of a connection to a listener: nothing listens there, and
// no other program gets the port, as could happen if a listener were only closed.
func Refusing() (address string, release func(), err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	held, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		_ = listener.Close()
		return "", nil, err
	}
	release = func() { _, _ = held.Close(), listener.Close() }
	return held.LocalAddr().String(), release, nil
}
