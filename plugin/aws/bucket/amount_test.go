package bucket

import (
	"strings"
	"testing"
)

func TestAmounts(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 3565158: "3.4 MiB", 1 << 40: "1.0 TiB", 5 << 50: "5120.0 TiB"} {
		if got := inBytes(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
	if got := Amount(&Contents{Objects: 1, Versions: 2, DeleteMarkers: 3, Partial: true}); !strings.HasPrefix(got, "1 object, 2 older versions, 3 delete markers, 0 B (older") {
		t.Errorf("%q", got)
	}
}
