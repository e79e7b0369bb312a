namespace Reelbase.Server.Doctor;

/// <summary>How bad something is.</summary>
public enum Level
{
    Ok,
    Warning,
    Fault,
}

/// <summary>One line of <c>doctor</c>: what was checked, what is so, the setting that it is about and what to do.</summary>
internal sealed record Finding(Level Level, string Check, string Text, string? Key = null, string? Remedy = null)
{
    public static Finding Ok(string check, string text) => new(Level.Ok, check, text);

    public static Finding Warning(string check, string? key, string text, string remedy) => new(Level.Warning, check, text, key, remedy);

    public static Finding Fault(string check, string? key, string text, string remedy) => new(Level.Fault, check, text, key, remedy);

    /// <summary>As one line of text.</summary>
    public override string ToString() =>
        $"{Level.ToString().ToLowerInvariant(), -8} {Check, -10} {(Key is null ? "" : Key + ": ")}{Text.ReplaceLineEndings(" ")}{(Remedy is null ? "" : $". Do: {Remedy}")}";
}
