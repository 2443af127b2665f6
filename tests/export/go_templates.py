"""Ollama's side of a TEMPLATE: Go's text/template, given what Ollama gives it."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

# Ollama joins the system messages into .System, and hands on all messages.
_PROGRAM: Final = """
package main

import ("encoding/json"; "os"; "strings"; "text/template")

type Message struct { Role, Content string }
type Job struct { Template string; Conversations [][]*Message }

func main() {
	var job Job
	if err := json.NewDecoder(os.Stdin).Decode(&job); err != nil { panic(err) }
	parsed := template.Must(template.New("").Option("missingkey=zero").Parse(job.Template))
	texts := []string{}
	for _, messages := range job.Conversations {
		system := []string{}
		for _, message := range messages {
			if message.Role == "system" { system = append(system, message.Content) }
		}
		var text strings.Builder
		values := map[string]any{"System": strings.Join(system, "\\n\\n"), "Messages": messages, "Response": ""}
		if err := parsed.Execute(&text, values); err != nil { panic(err) }
		texts = append(texts, text.String())
	}
	if err := json.NewEncoder(os.Stdout).Encode(texts); err != nil { panic(err) }
}
"""


def go_renderer(folder: Path) -> Path:
    """The program that renders, compiled into a folder; a test is skipped where there is no Go."""
    if shutil.which("go") is None:
        pytest.skip("Go is not installed, in whose templates Ollama's are written")
    (folder / "render.go").write_text(_PROGRAM, "utf-8")
    program = folder / "render"
    subprocess.run(["go", "build", "-o", str(program), str(folder / "render.go")], check=True)
    return program


def rendered_by_go(program: Path, template: str, conversations: list[list[dict[str, str]]]) -> list[str]:
    """The text of each conversation."""
    job = json.dumps({"Template": template, "Conversations": conversations})
    run = subprocess.run([str(program)], input=job.encode(), capture_output=True, check=True)
    texts: list[str] = json.loads(run.stdout)
    return texts
