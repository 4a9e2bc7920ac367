package apply

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// conflict is one field that somebody else owns with another value.
type conflict struct {
	field       string
	manager     string
	subresource string
	applied     bool // theirs is an Apply, not an Update
}

// conflictsOf lists the field conflicts an error tells of; none if it is
// another kind of error. What cannot be parsed counts as another applier's,
// because that is never overridden.
func conflictsOf(err error) []conflict {
	var status apierrors.APIStatus
	if !errors.As(err, &status) || status.Status().Code != http.StatusConflict || status.Status().Details == nil {
		return nil
	}
	var out []conflict
	for _, cause := range status.Status().Details.Causes {
		if cause.Type != metav1.CauseTypeFieldManagerConflict {
			continue
		}
		c := conflict{field: strings.TrimPrefix(cause.Field, "."), manager: cause.Message, applied: true}
		c.readMessage(cause.Message)
		out = append(out, c)
	}
	return out
}

// readMessage reads what the API server writes for one conflict:
//
//	conflict with "NAME"[ with subresource "SUB"][ using VERSION[ at TIME]]
//
// Only an Update has a version (apimachinery, managedfields/internal/conflict.go).
func (c *conflict) readMessage(text string) {
	rest, ok := strings.CutPrefix(text, "conflict with ")
	if !ok {
		return
	}
	quoted, err := strconv.QuotedPrefix(rest)
	if err != nil {
		return
	}
	c.manager, _ = strconv.Unquote(quoted)
	rest = rest[len(quoted):]
	if sub, ok := strings.CutPrefix(rest, " with subresource "); ok {
		quoted, err := strconv.QuotedPrefix(sub)
		if err != nil {
			return
		}
		c.subresource, _ = strconv.Unquote(quoted)
		rest = sub[len(quoted):]
	}
	c.applied = !strings.HasPrefix(rest, " using ")
}

// byHand reports whether the conflict is with somebody who edited the object:
// kubectl edit, patch or scale, the web console. Such edits are put back.
// Appliers and autoscalers are not: they would come back, for ever.
func (c conflict) byHand() bool {
	if c.applied {
		return false
	}
	if c.subresource != "" {
		return c.subresource == "scale" && slices.Contains([]string{"kubectl", "oc", "Mozilla"}, c.manager)
	}
	_, delivers := delivererNamed(c.manager)
	return !delivers
}

func (c conflict) String() string {
	who := c.manager
	switch {
	case c.subresource != "":
		who += " (through /" + c.subresource + ")"
	case c.applied:
		who += " (server-side apply)"
	}
	return c.field + " is set by " + who
}
