using System.Globalization;
using System.Text;

namespace Reelbase.Server.Features.Supabase.Rest;

/// <summary>What was met or missed at a position.</summary>
internal enum FaultKind
{
    Met,
    Refused,
    Missed,
}

/// <summary>Where and why reading went no further. The farthest one wins; equally far ones add up.</summary>
internal sealed record Fault(int Position, IReadOnlyList<(FaultKind Kind, string Text)> Notes)
{
    public static Fault None(int position) => new(position, []);

    public static Fault Merge(Fault first, Fault second) =>
        second.Notes.Count == 0 && first.Notes.Count > 0 ? first
        : first.Notes.Count == 0 && second.Notes.Count > 0 ? second
        : first.Position > second.Position ? first
        : first.Position < second.Position ? second
        : new(first.Position, [.. first.Notes, .. second.Notes]);

    /// <summary>The same fault, with one name for all that was missed.</summary>
    public Fault Named(string name) => new(Position, [(FaultKind.Missed, name), .. Notes.Where(note => note.Kind != FaultKind.Missed)]);

    /// <summary>The fault in one line, as clients of PostgREST know it.</summary>
    public string Describe()
    {
        var met = Notes.Where(note => note.Kind == FaultKind.Met).Select(note => note.Text).ToList();
        var refused = Distinct(FaultKind.Refused);
        var parts = new List<string>();
        if (refused.Count == 0 && met.Count > 0)
        {
            parts.Add("unexpected " + (met[0].Length == 0 ? "end of input" : met[0]));
        }
        if (refused.Count > 0)
        {
            parts.Add("unexpected " + Either(refused));
        }
        if (Distinct(FaultKind.Missed) is { Count: > 0 } missed)
        {
            parts.Add("expecting " + Either(missed));
        }
        return parts.Count == 0 ? "unknown parse error" : string.Join(' ', parts.Distinct());
    }

    private List<string> Distinct(FaultKind kind) => [.. Notes.Where(note => note.Kind == kind && note.Text.Length > 0).Select(note => note.Text).Distinct()];

    private static string Either(List<string> names) => names.Count == 1 ? names[0] : string.Join(", ", names[..^1]) + " or " + names[^1];
}

/// <summary>What a reader answers.</summary>
internal readonly record struct Reply<T>(bool HasConsumed, bool IsOk, T Value, int Position, Fault Fault);

/// <summary>Reads something at a position of a text.</summary>
internal delegate Reply<T> Reader<T>(string text, int position);

/// <summary>
/// Readers that are put together to a grammar. A choice goes on to its next branch only while nothing was consumed, and faults of branches at the same
/// position add up: that is what makes the words of an error say what would have been right.
/// </summary>
internal static class Read
{
    public static Reader<T> Value<T>(T value) => (_, at) => new(false, true, value, at, Fault.None(at));

    public static Reader<T> Nothing<T>() => (_, at) => new(false, false, default!, at, Fault.None(at));

    public static Reader<T> Later<T>(Func<Reader<T>> reader) => (text, at) => reader()(text, at);

    public static Reader<char> Where(Func<char, bool> fits) =>
        (text, at) =>
            at >= text.Length ? Miss<char>(at, "")
            : fits(text[at]) ? new(true, true, text[at], at + 1, Fault.None(at + 1))
            : Miss<char>(at, Shown(text, at));

    public static Reader<char> Char(char wanted) => Where(each => each == wanted).Named(Quoted(wanted.ToString()));

    public static Reader<char> NoneOf(string unwanted) => Where(each => !unwanted.Contains(each, StringComparison.Ordinal));

    public static Reader<char> Digit { get; } = Where(char.IsAsciiDigit).Named("digit");

    public static Reader<char> Letter { get; } = Where(char.IsLetter).Named("letter");

    public static Reader<string> Word(string word) =>
        (text, at) =>
        {
            for (var index = 0; index < word.Length; index++)
            {
                if (at + index >= text.Length || text[at + index] != word[index])
                {
                    var met = at + index >= text.Length ? "" : Shown(text, at + index);
                    return new(index > 0, false, "", at, new(at, [(FaultKind.Missed, Quoted(word)), (FaultKind.Met, met)]));
                }
            }
            return new(true, true, word, at + word.Length, Fault.None(at + word.Length));
        };

    public static Reader<string> Rest { get; } = (text, at) => new(at < text.Length, true, text[at..], text.Length, new(text.Length, [(FaultKind.Met, "")]));

    public static Reader<bool> End { get; } =
        Named<bool>(
            (text, at) =>
                at >= text.Length ? new(false, true, true, at, Fault.None(at)) : new(false, false, false, at, new(at, [(FaultKind.Refused, Single(text[at]))])),
            "end of input"
        );

    public static Reader<bool> NotBefore(Reader<char> unwanted) =>
        (text, at) =>
            unwanted(text, at) is { IsOk: true } found
                ? new(false, false, false, at, new(at, [(FaultKind.Refused, Single(found.Value))]))
                : new(false, true, true, at, Fault.None(at));

    public static Reader<T> Named<T>(this Reader<T> reader, string name) =>
        (text, at) =>
        {
            var reply = reader(text, at);
            return reply.HasConsumed || (reply.IsOk && reply.Fault.Notes.Count == 0) ? reply : reply with { Fault = reply.Fault.Named(name) };
        };

    /// <summary>A failure consumes nothing.</summary>
    public static Reader<T> Try<T>(Reader<T> reader) =>
        (text, at) => reader(text, at) is var reply && reply.IsOk ? reply : reply with { HasConsumed = false, Position = at };

    public static Reader<T> Ahead<T>(Reader<T> reader) =>
        (text, at) => reader(text, at) is var reply && reply.IsOk ? new(false, true, reply.Value, at, Fault.None(at)) : reply;

    public static Reader<T> Or<T>(this Reader<T> first, Reader<T> second) =>
        (text, at) =>
        {
            var reply = first(text, at);
            if (reply.HasConsumed || reply.IsOk)
            {
                return reply;
            }
            var other = second(text, at);
            return other.HasConsumed ? other : other with { Fault = Fault.Merge(reply.Fault, other.Fault) };
        };

    public static Reader<T> Either<T>(params Reader<T>[] readers) => readers[1..].Aggregate(readers[0], Or);

    public static Reader<TResult> Select<T, TResult>(this Reader<T> reader, Func<T, TResult> map) =>
        (text, at) =>
        {
            var reply = reader(text, at);
            return new(reply.HasConsumed, reply.IsOk, reply.IsOk ? map(reply.Value) : default!, reply.Position, reply.Fault);
        };

    public static Reader<TResult> SelectMany<T, TNext, TResult>(this Reader<T> reader, Func<T, Reader<TNext>> next, Func<T, TNext, TResult> map) =>
        (text, at) =>
        {
            var first = reader(text, at);
            if (!first.IsOk)
            {
                return new(first.HasConsumed, false, default!, first.Position, first.Fault);
            }
            var second = next(first.Value)(text, first.Position);
            return new(
                first.HasConsumed || second.HasConsumed,
                second.IsOk,
                second.IsOk ? map(first.Value, second.Value) : default!,
                second.Position,
                second.HasConsumed ? second.Fault : Fault.Merge(first.Fault, second.Fault)
            );
        };

    public static Reader<List<T>> Many<T>(Reader<T> reader) =>
        (text, at) =>
        {
            var all = new List<T>();
            for (var position = at; ; )
            {
                var reply = reader(text, position);
                if (!reply.IsOk || reply.Position == position)
                {
                    return reply.HasConsumed && !reply.IsOk
                        ? new(true, false, all, reply.Position, reply.Fault)
                        : new(position > at, true, all, position, reply.Fault);
                }
                all.Add(reply.Value);
                position = reply.Position;
            }
        };

    public static Reader<string> ManyChars(Reader<char> reader) => Many(reader).Select(all => new string([.. all]));

    public static Reader<List<T>> Many1<T>(Reader<T> reader) => from first in reader from more in Many(reader) select (List<T>)[first, .. more];

    public static Reader<string> Many1Chars(Reader<char> reader) => Many1(reader).Select(all => new string([.. all]));

    public static Reader<List<T>> SeparatedBy1<T, TSeparator>(this Reader<T> reader, Reader<TSeparator> separator) =>
        from first in reader
        from more in Many(from _ in separator from each in reader select each)
        select (List<T>)[first, .. more];

    public static Reader<List<T>> SeparatedBy<T, TSeparator>(this Reader<T> reader, Reader<TSeparator> separator) =>
        reader.SeparatedBy1(separator).Or(Value<List<T>>([]));

    public static Reader<T?> Maybe<T>(Reader<T> reader)
        where T : class => reader.Select(value => (T?)value).Or(Value<T?>(null));

    /// <summary>Reads a whole text, or throws what clients of PostgREST know.</summary>
    public static T Run<T>(Reader<T> reader, string name, string text)
    {
        var reply = reader(text, 0);
        if (reply.IsOk)
        {
            return reply.Value;
        }
        var (line, column) = (1, 1);
        foreach (var rune in text[..Math.Min(reply.Fault.Position, text.Length)].EnumerateRunes())
        {
            (line, column) = rune.Value switch
            {
                '\n' => (line + 1, 1),
                '\t' => (line, column + 8 - ((column - 1) % 8)),
                _ => (line, column + 1),
            };
        }
        throw RestError.Unreadable($"\"{name}\" (line {line}, column {column})", reply.Fault.Describe());
    }

    private static Reply<T> Miss<T>(int at, string met) => new(false, false, default!, at, new(at, [(FaultKind.Met, met)]));

    private static string Shown(string text, int at) =>
        Quoted(char.IsHighSurrogate(text[at]) && at + 1 < text.Length ? text.Substring(at, 2) : text[at].ToString());

    private static string Single(char value) => value == '\'' ? "'\\''" : "'" + Escaped(value.ToString()) + "'";

    private static string Quoted(string text) => "\"" + Escaped(text).Replace("\"", "\\\"", StringComparison.Ordinal) + "\"";

    private static string Escaped(string text)
    {
        var shown = new StringBuilder();
        foreach (var rune in text.EnumerateRunes())
        {
            shown.Append(
                rune.Value switch
                {
                    '\\' => "\\\\",
                    '\n' => "\\n",
                    '\r' => "\\r",
                    '\t' => "\\t",
                    < 32 or > 126 => "\\" + rune.Value.ToString(CultureInfo.InvariantCulture),
                    _ => rune.ToString(),
                }
            );
        }
        return shown.ToString();
    }
}
