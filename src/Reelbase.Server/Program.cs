using Reelbase.Server.Cli;

// A verb, or nothing (and settings): serve.
return await (CommandTree.IsVerb(args) ? CommandTree.RunAsync(args) : ServeCommand.RunAsync(args));
