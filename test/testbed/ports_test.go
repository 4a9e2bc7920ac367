package testbed

import (
	"net"
	"strings"
	"testing"
)

// TestPortTaken starts beds one of whose ports somebody takes between the
// choice and the bind: the bed starts again on other ports.
func TestPortTaken(t *testing.T) {
	for name, place := range map[string]int{"moto": 0, "etcd": 1, "kwok": 2} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			calls := 0
			var said strings.Builder
			bed, err := Start(t.Context(), Options{
				Platform: Kubernetes, NoACK: true, Progress: &said,
				ports: func(count int) ([]int, error) {
					ports, err := freePorts(count)
					if err == nil && calls == place {
						taken, err := net.Listen("tcp", strings.TrimPrefix(local("http", ports[0]), "http://"))
						if err != nil {
							return nil, err
						}
						t.Cleanup(func() { _ = taken.Close() })
					}
					calls++
					return ports, err
				},
			})
			if err != nil {
				t.Fatal(err)
			}
			if err := bed.Stop(); err != nil {
				t.Error(err)
			}
			if got := strings.Count(said.String(), "starting again"); got != 1 {
				t.Errorf("started again %d times, not once:\n%s", got, said.String())
			}
		})
	}
}
