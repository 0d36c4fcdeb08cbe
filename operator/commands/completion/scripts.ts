export type Shell = 'bash' | 'zsh' | 'fish';

/** The script that a shell reads. It asks the program itself, so it never goes stale. */
export function completionScript(shell: Shell): string {
  switch (shell) {
    case 'bash':
      return BASH;
    case 'zsh':
      return ZSH;
    case 'fish':
      return FISH;
  }
}

const BASH = `# layercache completion for bash: source <(layercache completion bash)
_layercache() {
  local word="\${COMP_WORDS[COMP_CWORD]}"
  local lines
  lines="$("\${COMP_WORDS[0]}" __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)"
  COMPREPLY=()
  local line
  while IFS= read -r line; do
    case "$line" in
      :0) COMPREPLY+=($(compgen -f -- "$word")) ;;
      :* | '') ;;
      *) COMPREPLY+=("$line") ;;
    esac
  done <<< "$lines"
}
complete -o filenames -F _layercache layercache
`;

const ZSH = `#compdef layercache
# layercache completion for zsh: source <(layercache completion zsh)
_layercache() {
  local -a lines found
  lines=("\${(@f)$("\${words[1]}" __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  found=("\${(@)lines:#:*}")
  found=("\${(@)found:#}")
  (( \${#found} )) && compadd -a found
  [[ "\${lines[-1]}" == ':0' ]] && _files
}
compdef _layercache layercache
`;

const FISH = `# layercache completion for fish: layercache completion fish | source
function __layercache_complete
  set -l words (commandline -opc) (commandline -ct)
  set -l lines ($words[1] __complete -- $words[2..-1] 2>/dev/null)
  for line in $lines
    switch $line
      case ':0'
        __fish_complete_path (commandline -ct)
      case ':*'
      case '*'
        echo $line
    end
  end
end
complete -c layercache -f -a '(__layercache_complete)'
`;
