"""`phiscale completion`: a script with which a shell completes commands, options and their choices."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial

from pipeline.commands.arguments import Commands

Parsers = Mapping[str, argparse.ArgumentParser]
HELP = """\
print a script that completes commands and options; put it where your shell finds it:
  bash: phiscale completion bash > ~/.local/share/bash-completion/completions/phiscale
  zsh:  phiscale completion zsh > ~/.phiscale-completion, and in ~/.zshrc: source ~/.phiscale-completion
  fish: phiscale completion fish > ~/.config/fish/completions/phiscale.fish"""


def add_parser(commands: Commands) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "completion",
        help="print what a shell completes commands by",
        description=HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("shell", choices=sorted(SHELLS), help="whose script is printed")
    parser.set_defaults(run=partial(run, commands))


def run(commands: Commands, args: argparse.Namespace) -> int:
    """Print the script of `args.shell`, of the commands that there are."""
    summaries = {action.dest: str(action.help) for action in commands._choices_actions}
    print(SHELLS[args.shell](commands.choices, summaries), end="")
    return 0


def bash(commands: Parsers, summaries: Mapping[str, str]) -> str:
    """Return the script of bash.

    Args:
        commands: parser of each command.
        summaries: what each command does, in a line.
    """
    cases = []
    for name, parser in commands.items():
        valued = "|".join(flag for action in _options(parser) if action.nargs != 0 for flag in action.option_strings)
        asked = _words(choice for action in _positional(parser) for choice in action.choices or ())
        flags = _words(flag for action in _options(parser) for flag in action.option_strings)
        inside = f' case "$before" in {valued}) offer=""; flags="" ;; esac' if valued else ""
        cases.append(f'    {name}) offer="{asked}"; flags="{flags}"{";" if inside else ""}{inside} ;;\n')
    return (
        "# phiscale, completed by bash\n_phiscale() {\n"
        '  local word="${COMP_WORDS[COMP_CWORD]}" before="${COMP_WORDS[COMP_CWORD-1]}" offer="" flags=""\n'
        f'  if [ "$COMP_CWORD" -eq 1 ]; then offer="{_words(commands)}"; flags="--help --version"\n'
        '  else\n    case "${COMP_WORDS[1]}" in\n' + "".join(cases) + "    esac\n  fi\n"
        '  if [ "${word#-}" != "$word" ]; then offer="$flags"; fi\n'
        '  COMPREPLY=( $(compgen -W "$offer" -- "$word") )\n}\n'
        "complete -o bashdefault -o default -F _phiscale phiscale\n"
    )


def zsh(commands: Parsers, summaries: Mapping[str, str]) -> str:
    """Return the script of zsh, which takes that of bash; arguments as those of `bash`."""
    return "autoload -U +X compinit && compinit -i\nautoload -U +X bashcompinit && bashcompinit\n" + bash(
        commands, summaries
    )


def fish(commands: Parsers, summaries: Mapping[str, str]) -> str:
    """Return the script of fish; arguments as those of `bash`."""
    lines = ["# phiscale, completed by fish"]
    for name, parser in commands.items():
        said = _quoted(summaries.get(name, ""))
        lines.append(f"complete -c phiscale -f -n __fish_use_subcommand -a {name} -d {said}")
        here = f"complete -c phiscale -n '__fish_seen_subcommand_from {name}'"
        for action in _positional(parser):
            if action.choices:
                lines.append(f"{here} -f -a {_quoted(_words(action.choices))} -d {_quoted(action.help or '')}")
        for action in _options(parser):
            flags = " ".join(f"-l {o[2:]}" if o.startswith("--") else f"-s {o[1:]}" for o in action.option_strings)
            takes = " -r" if action.nargs != 0 else ""
            lines.append(f"{here} {flags}{takes} -d {_quoted(action.help or '')}")
    return "\n".join(lines) + "\n"


SHELLS: dict[str, Callable[[Parsers, Mapping[str, str]], str]] = {"bash": bash, "fish": fish, "zsh": zsh}


def _options(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    return (action for action in parser._actions if action.option_strings)


def _positional(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    return (action for action in parser._actions if not action.option_strings)


def _words(names: Iterable[object]) -> str:
    return " ".join(map(str, names))


def _quoted(text: str) -> str:
    return "'" + text.replace("%%", "%").replace("\\", "\\\\").replace("'", "\\'") + "'"
