package relay

import (
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Spreading plays an IAM that takes its time: for a while after CreateRole, the
// first request of each kind about the role does not find it, nor does every
// other after that, by chance, but never more than three of a kind on end ("Changes that I make are not always
// immediately visible" in the IAM User Guide). Everything else goes to next.
type Spreading struct {
	lasts time.Duration
	next  Play

	lock    sync.Mutex
	dice    *rand.Rand
	made    map[string]time.Time
	onEnd   map[string]int // by role and action
	unknown int
}

// NewSpreading makes one of a seed; next may be nil, for Pass.
func NewSpreading(seed uint64, lasts time.Duration, next Play) *Spreading {
	if next == nil {
		next = (*Exchange).Pass
	}
	return &Spreading{lasts: lasts, next: next, dice: rand.New(rand.NewPCG(seed, 1)), made: map[string]time.Time{}, onEnd: map[string]int{}}
}

// Play is for Open.
func (s *Spreading) Play(e *Exchange) {
	switch {
	case e.Action == "CreateRole":
		e.PassAndSee(func(status int) {
			if status == http.StatusOK {
				s.begin(e.Role)
			}
		})
	case s.hides(e):
		e.Answer(Refusal{
			Status: http.StatusNotFound, Code: "NoSuchEntity",
			Message: "The role with name " + e.Role + " cannot be found.",
		})
	default:
		s.next(e)
	}
}

// Unknown is how many requests did not find the role so far.
func (s *Spreading) Unknown() int {
	s.lock.Lock()
	defer s.lock.Unlock()
	return s.unknown
}

func (s *Spreading) begin(role string) {
	s.lock.Lock()
	defer s.lock.Unlock()
	s.made[role] = time.Now()
}

func (s *Spreading) hides(e *Exchange) bool {
	about := []string{
		"GetRole", "GetRolePolicy", "ListRolePolicies", "ListAttachedRolePolicies",
		"PutRolePolicy", "AttachRolePolicy", "TagRole", "UpdateAssumeRolePolicy",
	}
	if !slices.Contains(about, e.Action) {
		return false
	}
	s.lock.Lock()
	defer s.lock.Unlock()
	const atMost = 3
	made, new := s.made[e.Role]
	key := e.Action + " " + e.Role
	_, again := s.onEnd[key]
	if !new || time.Since(made) > s.lasts {
		return false
	}
	if s.onEnd[key] == atMost || again && s.dice.IntN(2) == 0 {
		s.onEnd[key] = 0
		return false
	}
	s.onEnd[key]++
	s.unknown++
	return true
}
