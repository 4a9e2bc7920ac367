package testbed

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// KubeRequest is one request a user made of the API server.
type KubeRequest struct {
	ID        string    `json:"auditID"`
	Stage     string    `json:"stage"`
	Verb      string    `json:"verb"`
	URI       string    `json:"requestURI"`
	UserAgent string    `json:"userAgent"`
	Time      time.Time `json:"requestReceivedTimestamp"`
	User      struct {
		Username string `json:"username"`
	} `json:"user"`
	Status struct {
		Code int `json:"code"`
	} `json:"responseStatus"`
	Object *struct {
		Group       string `json:"apiGroup"`
		Version     string `json:"apiVersion"`
		Resource    string `json:"resource"`
		Subresource string `json:"subresource"`
		Namespace   string `json:"namespace"`
		Name        string `json:"name"`
	} `json:"objectRef"`
}

// KubeMark is a point in the log of API requests: now.
func (b *Bed) KubeMark() int64 {
	info, err := os.Stat(b.auditLog())
	if err != nil {
		return 0 // nothing was asked yet
	}
	return info.Size()
}

// KubeRequests returns the requests since a mark (0: all) whose user agent
// begins with the given text, in the order they ended; a watch counts when it
// begins. The bed's own requests are never in it.
func (b *Bed) KubeRequests(from int64, agent string) ([]KubeRequest, error) {
	file, err := os.Open(b.auditLog())
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if _, err := file.Seek(from, io.SeekStart); err != nil {
		return nil, err
	}
	var found []KubeRequest
	seen := map[string]bool{}
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var request KubeRequest
		if err := json.Unmarshal(lines.Bytes(), &request); err != nil {
			return nil, fmt.Errorf("audit log: %w", err)
		}
		if seen[request.ID] || !strings.HasPrefix(request.UserAgent, agent) {
			continue
		}
		seen[request.ID] = true
		found = append(found, request)
	}
	return found, lines.Err()
}
