// concerto completion <shell>: what a shell needs to complete the command line

#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>

#include "verb_page.hpp"
#include "verbs.hpp"

namespace concerto::tools {

std::function<int()> add_completion(CLI::App& app) {
  auto shell = std::make_shared<std::string>();
  app.add_option("shell", *shell, "The shell")
      ->type_name("")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  app.footer(
      "bash: source <(concerto completion bash)\n"
      "zsh:  source <(concerto completion zsh), behind compinit\n"
      "fish: concerto completion fish | source\n"
      "The packages install all three.");
  return [shell, &app] {
    const VerbPage program = describe(*app.get_parent());
    std::cout << (*shell == "bash"  ? bash_completion(program)
                  : *shell == "zsh" ? zsh_completion(program)
                                    : fish_completion(program))
              << std::flush;
    return 0;
  };
}

}  // namespace concerto::tools
