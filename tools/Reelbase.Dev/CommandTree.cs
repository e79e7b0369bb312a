using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.ComponentModel;
using Reelbase.Dev.Running;
using Reelbase.Dev.Testing;

namespace Reelbase.Dev;

/// <summary>The verbs of <c>./reelbase</c>.</summary>
internal static class CommandTree
{
    /// <summary>Runs what the words say; answers the exit code.</summary>
    public static async Task<int> RunAsync(string[] words)
    {
        using var signals = new Signals();
        try
        {
            var root = New();
            if (words is not [var verb, ..] || verb is "help" or "-h" or "--help")
            {
                Console.Out.Write(HelpText);
                return 0;
            }
            var known = root.Subcommands.Select(command => command.Name).ToList();
            if (!known.Contains(verb))
            {
                throw Refusal.Words($"unknown verb {verb}{Words.DidYouMean(verb, [.. known, "help"])}; ./reelbase help says what there is");
            }
            return await Parse(root, words)
                .InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null }, signals.Token);
        }
        catch (Refusal refusal)
        {
            Terminal.Fault(refusal.Message);
            return refusal.ExitCode;
        }
        catch (OperationCanceledException) when (signals.Token.IsCancellationRequested)
        {
            return Signals.Interrupted;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or Win32Exception)
        {
            Terminal.Fault(fault.Message);
            return 1;
        }
    }

    /// <summary>What <c>./reelbase help</c> prints; the script prints the same file where there is no SDK yet.</summary>
    public static string HelpText { get; } = ReadHelp();

    /// <summary>The tree.</summary>
    public static Command New()
    {
        Command root = new("reelbase")
        {
            RunCommand.New(),
            TestCommand.New(),
            CheckCommand.New(),
            BenchCommand.New(),
            DocumentCommands.NewDocs(),
            DocumentCommands.NewClients(),
            ScreenshotsCommand.New(),
        };
        foreach (var command in root.Subcommands)
        {
            command.Add(new HelpOption("--help", "-h") { Action = new PrintHelp() });
            command.TreatUnmatchedTokensAsErrors = false;
        }
        ServerCommands.AddTo(root);
        return root;
    }

    /// <summary>Reads the words: no bundles of short options, and a value that begins with @ is a value.</summary>
    internal static ParseResult Parse(Command root, string[] words) =>
        root.Parse(words, new ParserConfiguration { EnablePosixBundling = false, ResponseFileTokenReplacer = null });

    private static string ReadHelp()
    {
        using var reader = new StreamReader(typeof(CommandTree).Assembly.GetManifestResourceStream("help.txt")!);
        return reader.ReadToEnd();
    }

    private sealed class PrintHelp : SynchronousCommandLineAction
    {
        public override bool ClearsParseErrors => true;

        public override int Invoke(ParseResult parseResult)
        {
            Console.Out.Write(HelpText);
            return 0;
        }
    }
}
