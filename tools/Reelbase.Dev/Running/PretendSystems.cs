namespace Reelbase.Dev.Running;

/// <summary>Which outside systems are pretended, by the names that <c>--simulators</c> takes.</summary>
internal sealed class PretendSystems
{
    /// <summary>Every system with the settings that mean the real one.</summary>
    private static readonly (string Name, string[] Settings)[] Systems =
    [
        ("fal", ["Fal__ApiKey", "Fal__UserId", "Fal__QueueUrl", "Pika__ApiKey"]),
        ("runway", ["Runway__ApiKey", "Runway__BaseUrl"]),
        ("devicecheck", ["DeviceCheck__KeyId", "DeviceCheck__PrivateKeyFile", "DeviceCheck__PrivateKey"]),
        ("appstore", ["AppStore__KeyId", "AppStore__PrivateKeyFile", "AppStore__PrivateKey", "AppStore__RootCertificateFile"]),
        ("signin", ["AppleSignIn__KeyId", "AppleSignIn__PrivateKeyFile", "AppleSignIn__PrivateKey"]),
        ("apns", ["Apns__KeyId", "Apns__PrivateKeyFile", "Apns__PrivateKey"]),
        ("telegram", ["Telegram__BotToken"]),
    ];

    private static readonly string[] Apple = ["devicecheck", "appstore", "signin", "apns"];
    private readonly List<string> _names;

    private PretendSystems(IEnumerable<string> names) => _names = [.. names.Distinct()];

    /// <summary>All of them.</summary>
    public static PretendSystems All { get; } = new(Systems.Select(system => system.Name));

    /// <summary>Whether there is any.</summary>
    public bool Any => _names.Count > 0;

    /// <summary>Whether it is all of them.</summary>
    public bool AreAll => ToString() == All.ToString();

    /// <summary>Whether these are among them.</summary>
    public bool Has(params string[] names) => names.All(_names.Contains);

    /// <summary>Their names.</summary>
    public override string ToString() => string.Join(' ', _names);

    /// <summary>What <c>--simulators</c> means: on, off, or names; apple is four of them.</summary>
    public static PretendSystems Choose(string given) =>
        given switch
        {
            "on" => All,
            "off" => new([]),
            "" => throw Refusal.Fault("--simulators is on, off, or names parted by commas, such as fal,apple"),
            _ => new(given.TrimEnd(',').Split(',').SelectMany(Named)),
        };

    /// <summary>An operator's own settings that go to a pretended system.</summary>
    public IEnumerable<string> FindOwnSettings(OperatorSettings settings) =>
        from name in _names
        from setting in Systems.Single(system => system.Name == name).Settings
        where settings.Given(setting) is not null
        select $"Note: {setting} is yours and used, but {name} is pretended; leave {name} out of --simulators to use the real one";

    /// <summary>Proposes how the server reaches each of them.</summary>
    public void Propose(OperatorSettings settings, string url, string folder, string keyFile, string rootSha256)
    {
        var bundle = settings.Given("AppStore__BundleId") ?? "com.example.reelbase";
        if (Has("fal"))
        {
            settings.Propose("Fal__ApiKey", "sim:key");
            settings.Propose("Fal__UserId", "user_sim");
            settings.Propose("Fal__QueueUrl", $"{url}/fal");
            settings.Propose("Fal__JwksUrl", $"{url}/fal/.well-known/jwks.json");
        }
        if (Has("runway"))
        {
            settings.Propose("Runway__ApiKey", "sim_key");
            settings.Propose("Runway__BaseUrl", $"{url}/runway");
        }
        if (Has("devicecheck"))
        {
            settings.Propose("DeviceCheck__BaseUrl", $"{url}/devicecheck");
            ProposeKey("DeviceCheck");
        }
        if (Has("appstore"))
        {
            settings.Propose("AppStore__BundleId", bundle);
            settings.Propose("AppStore__AppAppleId", "1234567890");
            settings.Propose("AppStore__IssuerId", "5a1e0f6c-1111-4000-8000-000000000001");
            settings.Propose("AppStore__KeyId", "SIMULATED1");
            settings.Propose("AppStore__PrivateKeyFile", keyFile);
            settings.Propose("AppStore__ProductionUrl", $"{url}/appstore/production");
            settings.Propose("AppStore__SandboxUrl", $"{url}/appstore/sandbox");
            settings.Propose("AppStore__RootCertificateFile", $"{folder}/keys/apple-simulator/root.cer");
            settings.Propose("AppStore__RootSha256", rootSha256);
        }
        if (Has("signin"))
        {
            settings.Propose("AppleSignIn__ClientIds__0", bundle);
            settings.Propose("AppleSignIn__BaseUrl", $"{url}/apple-id");
            ProposeKey("AppleSignIn");
        }
        if (Has("apns"))
        {
            settings.Propose("Apns__Topic", bundle);
            ProposeKey("Apns");
            settings.Propose("Apns__ProductionUrl", $"{url}/apns");
            settings.Propose("Apns__SandboxUrl", $"{url}/apns/sandbox");
        }
        if (Has("telegram"))
        {
            settings.Propose("Telegram__BotToken", "simulated");
            settings.Propose("Telegram__ChatId", "1");
            settings.Propose("Telegram__BaseUrl", $"{url}/telegram");
        }
        if (Any)
        {
            // Behind an operator's own list, which begins at 0.
            settings.Propose("Downloads__AllowedPrivateEndpoints__90", new Uri(url).Authority);
        }
        if (Has("fal", "runway"))
        {
            // Pretend videos take seconds; real ones may be queued for long.
            settings.Propose("Generation__QueueDeadlineSeconds", "90");
            settings.Propose("Generation__SubmissionDeadlineSeconds", "90");
        }

        void ProposeKey(string section)
        {
            settings.Propose($"{section}__TeamId", "SIMULATED1");
            settings.Propose($"{section}__KeyId", "SIMULATED1");
            settings.Propose($"{section}__PrivateKeyFile", keyFile);
        }
    }

    private static string[] Named(string word)
    {
        var known = Systems.Select(system => system.Name).ToList();
        return word switch
        {
            "apple" => Apple,
            "on" or "off" => throw Refusal.Fault($"--simulators: {word} stands alone"),
            _ when known.Contains(word) => [word],
            _ => throw Refusal.Fault(
                $"--simulators: nothing called '{word}' is pretended{Words.DidYouMean(word, ["on", "off", "apple", .. known])}; ./reelbase help lists the names"
            ),
        };
    }
}
