namespace Reelbase.Dev;

/// <summary>What is printed and asked. Results go to standard output; steps and faults to standard error, so that scripts read results alone.</summary>
internal static class Terminal
{
    /// <summary>A line of the result.</summary>
    public static void Say(string text) => Console.Out.WriteLine(text);

    /// <summary>What is being done.</summary>
    public static void Step(string text) => Console.Error.WriteLine($"==> {text}");

    /// <summary>Something that is no result.</summary>
    public static void Note(string text) => Console.Error.WriteLine(text);

    /// <summary>The one line of a fault.</summary>
    public static void Fault(string text) => Console.Error.WriteLine($"reelbase: {text}");

    /// <summary>Asks before something is installed. Without a terminal nobody can answer, and nothing is asked.</summary>
    public static bool MayInstall(bool isAnswered, string what)
    {
        if (isAnswered || Console.IsInputRedirected || Console.IsOutputRedirected)
        {
            return true;
        }
        Console.Out.Write($"Install {what} now? [Y/n] ");
        return Console.In.ReadLine() is { } answer && !answer.StartsWith("n", StringComparison.OrdinalIgnoreCase);
    }
}
