using System.Collections;
using System.Text.RegularExpressions;

namespace Reelbase.Dev.Running;

/// <summary>Settings of the server as variables: what an operator has given, and what <c>run</c> proposes, which loses to anything that was given.</summary>
internal sealed partial class OperatorSettings(IEnumerable<KeyValuePair<string, string>> environment)
{
    private const string Prefix = "REELBASE__";
    private const string ProposalPrefix = "REELBASE_DEFAULT__";
    private readonly Dictionary<string, string> _environment = new(environment, StringComparer.Ordinal);

    [GeneratedRegex("^--[A-Z].*:")]
    private static partial Regex SettingWord();

    [GeneratedRegex("^[A-Za-z0-9:_]*$")]
    private static partial Regex SettingName();

    /// <summary>Those of this process.</summary>
    public static OperatorSettings FromEnvironment() => new(ReadEnvironment());

    /// <summary>The variables of this process.</summary>
    public static IEnumerable<KeyValuePair<string, string>> ReadEnvironment() =>
        System
            .Environment.GetEnvironmentVariables()
            .Cast<DictionaryEntry>()
            .Select(entry => KeyValuePair.Create((string)entry.Key, (string?)entry.Value ?? ""));

    /// <summary>All variables for a program that is started with them.</summary>
    public IReadOnlyDictionary<string, string> Environment => _environment;

    /// <summary>What is proposed, one a line.</summary>
    public IEnumerable<string> Proposals =>
        _environment
            .Where(pair => pair.Key.StartsWith(ProposalPrefix, StringComparison.Ordinal))
            .Select(pair => $"{pair.Key}={pair.Value}")
            .Order(StringComparer.Ordinal);

    /// <summary>The folder of the data as it was given, where the caller stands; else the clone's.</summary>
    public string GivenFolder => SourceTree.FromCaller(Given("Server__DataDirectory") ?? SourceTree.PathOf(".reelbase"));

    /// <summary>A variable that has a value.</summary>
    public string? Variable(string name) => _environment.GetValueOrDefault(name) is { Length: > 0 } value ? value : null;

    /// <summary>Gives a variable a value where it has none.</summary>
    public string Default(string name, string value) => _environment[name] = Variable(name) ?? value;

    /// <summary>What an operator has given for <c>Section__Key</c>.</summary>
    public string? Given(string name) => Variable(Prefix + name) ?? Variable(name);

    /// <summary>A setting that whatever an operator has given for it anywhere wins over.</summary>
    public void Propose(string name, string value) => _environment[ProposalPrefix + name] = value;

    /// <summary>Where the data lie.</summary>
    public void UseFolder(string folder) => _environment[Prefix + "Server__DataDirectory"] = folder;

    /// <summary>Whether a word is a setting.</summary>
    public static bool IsSetting(string word) => SettingWord().IsMatch(word);

    /// <summary>Takes <c>--Section:Key=VALUE</c>.</summary>
    public void Take(string word)
    {
        var parts = word.Split('=', 2);
        var name = parts[0][2..];
        if (parts.Length < 2)
        {
            throw Refusal.Words($"--{name} needs a value: --{name}=VALUE");
        }
        if (!SettingName().IsMatch(name))
        {
            throw Refusal.Words($"--{name} is no name of a setting; docs/configuration.md lists them");
        }
        _environment[Prefix + name.Replace(":", "__", StringComparison.Ordinal)] = parts[1];
    }
}
