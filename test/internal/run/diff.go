package run

import (
	"context"
	"fmt"
	"testing"
)

// WantNothingToApply wants kubectl to see nothing to apply in manifests, by its exit
// code, too. What it compares holds the status, which controllers write whenever
// they like, also between its two readings of an object: so it is asked again
// until it sees nothing. A difference that an apply would make stays.
func (u User) WantNothingToApply(t testing.TB, manifests string, flags ...string) {
	t.Helper()
	Eventually(t, "kubectl sees nothing to apply", func(context.Context) error {
		result := u.Typing(manifests).Kubectl(t, append([]string{"diff", "--server-side", "-f", "-"}, flags...)...)
		if result.Code > 1 {
			t.Fatalf("kubectl could not compare\n%s", result)
		}
		if result.Code != 0 || result.Stdout != "" {
			return fmt.Errorf("it sees something\n%s", result)
		}
		return nil
	})
}
