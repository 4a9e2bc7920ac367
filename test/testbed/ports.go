package testbed

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
)

// Ports of parts lie below those that Linux (32768 up) and the BSDs (49152 up)
// take for outgoing connections and for listeners without a wish: a part binds
// its port some seconds after it was chosen, or again after a restart, and no
// connection may have taken it meanwhile.
const (
	firstPort = 20000
	lastPort  = 32767
	portTries = 1000
)

// startTries is how often a bed is started whose port somebody else took
// between the choice and the bind: other beds choose from the same range.
const startTries = 5

// freePorts chooses loopback ports at random that nobody uses now.
func freePorts(count int) ([]int, error) {
	var ports []int
	for range portTries {
		if len(ports) == count {
			return ports, nil
		}
		port := firstPort + rand.IntN(lastPort-firstPort+1)
		listener, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(port))
		if err != nil {
			continue
		}
		// Closed only on return: the same port could be chosen twice.
		defer listener.Close()
		ports = append(ports, port)
	}
	return nil, fmt.Errorf("no %d free loopback ports from %d to %d in %d tries", count, firstPort, lastPort, portTries)
}

// whileAllRun is ready, but gives up as soon as a part of the bed has failed: an
// API server without its etcd would be waited for in vain.
func (b *Bed) whileAllRun(ready func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error {
		for _, p := range b.processes {
			if err := p.failed(); err != nil {
				return permanent{fmt.Errorf("%s: %w\n%s", p.name, err, tail(p.log))}
			}
		}
		return ready(ctx)
	}
}

// portTaken tells whether a port of the bed was in use when its part came.
func (b *Bed) portTaken() bool {
	return slices.ContainsFunc(b.processes, (*process).portTaken)
}

// portTaken reads it in the log: kwok goes on without its port.
func (p *process) portTaken() bool {
	text, err := os.ReadFile(p.log)
	return err == nil && strings.Contains(strings.ToLower(string(text)), "address already in use")
}
