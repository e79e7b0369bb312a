using System.Text.RegularExpressions;

namespace Reelbase.Dev.Running;

/// <summary>When the story is played.</summary>
internal enum StoryTime
{
    /// <summary>At the first start of a folder.</summary>
    First,

    /// <summary>Now.</summary>
    Now,

    /// <summary>Not at all.</summary>
    Never,
}

/// <summary>What <c>run</c> was asked for, checked as far as that needs nothing started.</summary>
internal sealed partial record RunOptions(int Port, string Folder, StoryTime Story, string? Lan, PretendSystems Pretended)
{
    private const int MaxPort = 65534;

    [GeneratedRegex("^[0-9]+$")]
    private static partial Regex Digits();

    [GeneratedRegex("^[0-9.]*$")]
    private static partial Regex Address();

    /// <summary>Whether a phone is served; <see cref="Lan"/> is empty where the address is found.</summary>
    public bool ServesPhone => Lan is not null;

    /// <summary>The server.</summary>
    public string Url => $"http://127.0.0.1:{Port}";

    /// <summary>The simulators' port.</summary>
    public int SimulatorPort => Port + 1;

    /// <summary>The simulators.</summary>
    public string SimulatorUrl => $"http://127.0.0.1:{SimulatorPort}";

    /// <summary>The port that a word means.</summary>
    public static int ReadPort(string word)
    {
        if (word.Length == 0)
        {
            throw Refusal.Words("--port needs a number");
        }
        return Digits().IsMatch(word) && int.TryParse(word, out var port) && port is >= 1 and <= MaxPort
            ? port
            : throw Refusal.Fault("--port must be a number between 1 and 65534");
    }

    /// <summary>Refuses what <c>--lan</c> cannot be with.</summary>
    public void CheckLan(string environment, string? urls)
    {
        if (Lan is not { } address)
        {
            return;
        }
        if (!Address().IsMatch(address))
        {
            throw Refusal.Fault($"--lan takes an IPv4 address of this machine such as 192.168.1.20, and not {address}");
        }
        if (environment != "Development")
        {
            throw Refusal.Fault($"--lan is for Development; ASPNETCORE_ENVIRONMENT is {environment}");
        }
        if (urls is not null)
        {
            throw Refusal.Fault("--lan says where the server listens, and so does ASPNETCORE_URLS: unset one of them");
        }
    }
}
