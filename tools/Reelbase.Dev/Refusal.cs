namespace Reelbase.Dev;

/// <summary>Ends the command with one line and an exit code.</summary>
internal sealed class Refusal(string message, int exitCode) : Exception(message)
{
    /// <summary>It did not work, or a value cannot be right.</summary>
    private const int Failed = 1;

    /// <summary>The words are not understood; the server's verbs end with it too.</summary>
    private const int NotUnderstood = 2;

    /// <summary>What the process ends with.</summary>
    public int ExitCode { get; } = exitCode;

    /// <summary>Something did not work, or a value cannot be right.</summary>
    public static Refusal Fault(string message) => new(message, Failed);

    /// <summary>Words that are not understood.</summary>
    public static Refusal Words(string message) => new(message, NotUnderstood);
}
