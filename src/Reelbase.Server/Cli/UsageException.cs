namespace Reelbase.Server.Cli;

/// <summary>Words that do not fit together, which shows only when all of them are read: the program ends with 2, as for a word that is not understood.</summary>
internal sealed class UsageException(string message) : ArgumentException(message)
{
    /// <summary>The exit code after an error: words that are not understood, or something that did not work.</summary>
    public static int CodeOf(Exception error) => error is UsageException ? CommandLineErrors.NotUnderstood : CommandLineErrors.WrongValue;
}
