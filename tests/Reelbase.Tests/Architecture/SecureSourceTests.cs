using System.Reflection;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Reelbase.Server;
using Reelbase.Tests.Support;

namespace Reelbase.Tests.Architecture;

/// <summary>What the source may not contain, so that a whole kind of attack has nothing to work on. docs/security-asvs.md names these.</summary>
[Quick]
public sealed partial class SecureSourceTests
{
    private const string Server = "src/Reelbase.Server";

    /// <summary>Statements that hold more than text: the operation is from a fixed list; the rest is what the owner does with names and numbers of the program.</summary>
    private static readonly string[] StatementsOfTheProgram =
    [
        // Names of tables are the program's, or come from the source's catalogue and are quoted.
        "Features/Supabase/Import/FileImport.cs",
        "Features/Supabase/Import/SourceFigures.cs",
        "Features/Supabase/Import/SupabaseImport.cs",
        "Features/Supabase/Import/SupabaseReport.cs",
        "Features/Supabase/Import/SupabaseSource.cs",
        // Names come from the catalogue of the database and are quoted; whatever a caller says is an argument.
        "Features/Supabase/Rest/ReadSql.cs",
        "Features/Supabase/Rest/RestRunner.cs",
        "Features/Supabase/Rest/WriteSql.cs",
        "Platform/Database/ChangeFeed.cs",
        "Platform/Database/Migrator.cs",
        "Platform/Database/PrivateCluster.cs",
        "Platform/Database/PrivateCluster.Backup.cs",
        "Platform/Database/RolePasswords.cs",
        "Platform/Database/SchemaJournal.cs",
        "Platform/Database/TableLocks.cs",
        // The function and its list of arguments are constants of those who call it.
        "Platform/Idempotency/KeyedCalls.cs",
    ];

    [Fact]
    public void Statements_are_not_built_from_values()
    {
        Assert.Empty(Found("*.cs", InterpolatedStatement()).Except(StatementsOfTheProgram));
        // In SQL: names through format, values through using; never text put together.
        Assert.Empty(Found("*.sql", ExecutedText()));
    }

    [Fact]
    public void Programs_get_their_arguments_one_by_one() => Assert.Empty(Found("*.cs", ArgumentLine()));

    [Fact]
    public void No_page_writes_markup_and_no_script_runs_text()
    {
        Assert.Empty(Found("*.razor", Markup()).Concat(Found("*.cs", Markup())));
        Assert.DoesNotMatch(RunsText(), File.ReadAllText(Repository.PathOf($"{Server}/wwwroot/console.js")));
    }

    [Fact]
    public void The_console_keeps_its_theme_in_the_browser_and_nothing_else()
    {
        var script = File.ReadAllText(Repository.PathOf($"{Server}/wwwroot/console.js"));
        Assert.Equal(["reelbase-theme"], Stored().Matches(script).Select(match => match.Groups[1].Value).Distinct());
        Assert.DoesNotMatch("sessionStorage|indexedDB|document\\.cookie|caches\\.", script);
        Assert.Empty(Found("*.razor", BrowserStorage()).Concat(Found("*.cs", BrowserStorage())));
    }

    [Fact]
    public void Every_regular_expression_is_fixed_at_build_time() => Assert.Empty(Found("*.cs", RuntimePattern()));

    [Fact]
    public void Nothing_leaves_the_safety_of_the_runtime() => Assert.Empty(Found("*.cs", Unsafe()));

    [Fact]
    public void The_check_of_certificates_is_switched_off_nowhere() => Assert.Empty(Found("*.cs", UncheckedCertificate()));

    [Fact]
    public void No_outgoing_call_follows_redirects_by_itself()
    {
        foreach (var file in Repository.Files(Server, "*.cs"))
        {
            var text = File.ReadAllText(file);
            Assert.True(
                Handler().Count(text) <= text.Split("AllowAutoRedirect = false").Length - 1 && !BareClient().IsMatch(text),
                $"{Name(file)} makes an HTTP client that follows redirects"
            );
        }
    }

    [Fact]
    public void Redirects_lead_to_fixed_places() =>
        Assert.Empty(
            from file in Repository.Files(Server, "*.cs")
            from Match match in Redirect().Matches(File.ReadAllText(file))
            let target = match.Groups[1].Value.Trim()
            where !FixedTarget().IsMatch(target)
            select $"{Name(file)}: {target}"
        );

    [Fact]
    public void Logs_go_where_the_page_about_logging_says()
    {
        var sinks = Repository.Files(Server, "*.cs").SelectMany(file => Sink().Matches(File.ReadAllText(file)).Select(match => match.Value)).Distinct().Order();
        Assert.Equal(["AddConsole", "AddOtlpExporter", "UseSentry"], sinks);
        var page = File.ReadAllText(Repository.PathOf("docs/logging.md"));
        Assert.All(["stdout", "OTLP", "Sentry", "error_log", "admin_actions", "alerts"], place => Assert.Contains(place, page, StringComparison.Ordinal));
    }

    [Fact]
    public void Every_algorithm_is_in_the_inventory_and_none_is_broken()
    {
        var page = File.ReadAllText(Repository.PathOf("docs/cryptography.md"));
        Assert.Empty(Found("*.cs", Broken()).Concat(Found("*.sql", BrokenInSql())));
        // Whoever uses an algorithm has a line of their own on the page.
        var users =
            from file in Repository.Files(Server, "*.cs")
            where !file.Contains("/Platform/Database/", StringComparison.Ordinal) && Algorithm().IsMatch(File.ReadAllText(file))
            select Path.GetFileNameWithoutExtension(file);
        Assert.DoesNotContain(users, name => !page.Contains($"`{name}`", StringComparison.Ordinal));
        // Chance that nobody should guess comes from the system; the other kind only spreads retries.
        Assert.Equal(["Platform/Work/Backoff.cs"], Found("*.cs", WeakChance()));
    }

    [Fact]
    public void Every_outside_host_is_on_the_page_about_the_network()
    {
        var page = File.ReadAllText(Repository.PathOf("docs/network.md"));
        var defaults =
            from section in ServerApp.Sections
            let options = Activator.CreateInstance(section.Type)
            from property in section.Type.GetProperties(BindingFlags.Public | BindingFlags.Instance)
            where property.PropertyType == typeof(string) && property.GetIndexParameters().Length == 0
            let value = property.GetValue(options) as string
            where Uri.TryCreate(value, UriKind.Absolute, out var uri) && uri.Scheme is "https" or "http"
            select new Uri(value!).Host;
        Assert.NotEmpty(defaults);
        Assert.DoesNotContain(defaults, host => !page.Contains($"`{host}`", StringComparison.Ordinal));
    }

    [Fact]
    public void Every_package_is_pinned_locked_and_decided_on()
    {
        var decided = File.ReadAllText(Repository.PathOf("docs/adr/0002-dependencies.md"));
        var packages = XDocument.Load(Repository.PathOf("Directory.Packages.props")).Descendants("PackageVersion").ToList();
        Assert.All(packages, package => Assert.Matches(@"^\d+\.\d+\.\d+(-[\w.]+)?$", package.Attribute("Version")!.Value));
        // Families of packages (OpenTelemetry.Exporter...) have one line.
        Assert.DoesNotContain(
            packages.Select(package => package.Attribute("Include")!.Value),
            name =>
                !decided.Contains(name, StringComparison.OrdinalIgnoreCase)
                && !decided.Contains($"{name.Split('.')[0]} (", StringComparison.Ordinal)
                && !decided.Contains(name.Split('.')[^1], StringComparison.OrdinalIgnoreCase)
        );
        foreach (var project in Repository.Files("src", "*.csproj").Concat(Repository.Files("tools", "*.csproj")))
        {
            var locked = File.ReadAllText(Path.Combine(Path.GetDirectoryName(project)!, "packages.lock.json"));
            Assert.Equal(Resolved().Count(locked), ContentHash().Count(locked));
        }
        Assert.Contains("<RestorePackagesWithLockFile>true", File.ReadAllText(Repository.PathOf("Directory.Build.props")), StringComparison.Ordinal);
    }

    [Fact]
    public void A_known_fault_of_a_package_fails_the_build()
    {
        var rules = File.ReadAllText(Repository.PathOf("Directory.Build.props"));
        Assert.Contains("<NuGetAudit>true", rules, StringComparison.Ordinal);
        Assert.Contains("<TreatWarningsAsErrors>true", rules, StringComparison.Ordinal);
        Assert.DoesNotContain("NU190", rules, StringComparison.Ordinal);
        Assert.Contains(
            "--vulnerable --include-transitive",
            File.ReadAllText(Repository.PathOf("tools/Reelbase.Dev/Testing/CheckCommand.cs")),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void No_secret_is_in_what_is_shipped() =>
        Assert.Empty(
            from folder in (string[])["src", "deploy", "database", "docs"]
            from file in Repository.Files(folder, "*")
            where new FileInfo(file).Length < 2_000_000 && Secret().IsMatch(File.ReadAllText(file))
            select Name(file)
        );

    private static IEnumerable<string> Found(string pattern, Regex rule) =>
        from file in Repository.Files(Server, pattern)
        where rule.IsMatch(Code(File.ReadAllText(file)))
        select Path.GetRelativePath(Repository.PathOf(Server), file);

    private static string Code(string text) => Comment().Replace(text, "");

    private static string Name(string file) => Path.GetRelativePath(Repository.Root, file);

    [GeneratedRegex(@"^\s*(//|--).*$", RegexOptions.Multiline)]
    private static partial Regex Comment();

    [GeneratedRegex(@"\$@?""+\s*(select|insert|update|delete|alter|create|set|drop|grant|revoke|call|with|listen|notify|do) [^""]*\{", RegexOptions.IgnoreCase)]
    private static partial Regex InterpolatedStatement();

    [GeneratedRegex(@"\bexecute\s+(?!format\(|\(select\s+format\(|function\b|on\b|procedure\b)['$\w(][^;]*\|\|", RegexOptions.IgnoreCase)]
    private static partial Regex ExecutedText();

    [GeneratedRegex(@"UseShellExecute\s*=\s*true|\bArguments\s*=\s*[$@]?""(?!\$\d)|ProcessStartInfo\(\s*(?:""[^""]*""|\w+|Path\.Combine\([^)]*\)),\s*[$@""]")]
    private static partial Regex ArgumentLine();

    [GeneratedRegex(@"MarkupString|AddMarkupContent|Html\.Raw|innerHTML")]
    private static partial Regex Markup();

    [GeneratedRegex(@"\beval\(|new Function\(|innerHTML|outerHTML|insertAdjacentHTML|document\.write|setTimeout\(\s*['""]|postMessage|Object\.assign")]
    private static partial Regex RunsText();

    [GeneratedRegex(@"localStorage\.\w+\('([^']+)'")]
    private static partial Regex Stored();

    [GeneratedRegex(@"localStorage|sessionStorage|ProtectedBrowserStorage|ProtectedLocalStorage|ProtectedSessionStorage")]
    private static partial Regex BrowserStorage();

    [GeneratedRegex(@"new Regex\(|Regex\.(IsMatch|Match|Replace|Split)\(")]
    private static partial Regex RuntimePattern();

    [GeneratedRegex(
        @"\bunsafe\s*[{\w]|DllImport|LibraryImport|Marshal\.|BinaryFormatter|TypeNameHandling|XmlSerializer|XmlDocument|DtdProcessing|CSharpScript|Assembly\.Load(?!ed)|AllowUnsafe"
    )]
    private static partial Regex Unsafe();

    [GeneratedRegex(
        @"CertificateCustomValidationCallback|RemoteCertificateValidationCallback|TrustServerCertificate|DangerousAccept|CheckCertificateRevocationList\s*=\s*false|SslProtocols\.(Ssl|Tls\b|Tls11)"
    )]
    private static partial Regex UncheckedCertificate();

    [GeneratedRegex(@"new SocketsHttpHandler|new HttpClientHandler|SocketsHttpHandler CreateHandler")]
    private static partial Regex Handler();

    [GeneratedRegex(@"new HttpClient\(\)|AddHttpClient\([^;]*\);(?<!ConfigurePrimaryHttpMessageHandler[^;]*;)", RegexOptions.Singleline)]
    private static partial Regex BareClient();

    [GeneratedRegex(@"(?:Results\.(?:Local)?Redirect|Response\.Redirect)\((.*)\);")]
    private static partial Regex Redirect();

    [GeneratedRegex(@"^(""/admin[\w/?=-]*""|\w+Path( \+ (""[\w?=]+""|\$""\?wrong=\{wrong\}""|\(\w+ \? ""[\w?=]+"" : ""[\w?=]+""\)))?)$")]
    private static partial Regex FixedTarget();

    [GeneratedRegex(@"\b(AddConsole|AddOtlpExporter|UseSentry|AddFile|AddDebug|AddEventLog|AddSyslog|AddSerilog|AddJsonConsole)\b(?=\()")]
    private static partial Regex Sink();

    [GeneratedRegex(@"\bMD5\b|\bSHA1\b|HMACSHA1|HMACMD5|TripleDES|\bDES\b|\bRC2\b|CipherMode\.(ECB|CBC)|RSAEncryptionPadding\.Pkcs1|Aes\.Create")]
    private static partial Regex Broken();

    [GeneratedRegex(@"\bmd5\(|\bcrypt\(|'(md5|sha1|des|bf)'")]
    private static partial Regex BrokenInSql();

    [GeneratedRegex(@"\b(AesGcm|HMACSHA\d+|HKDF|ECDsa\.Create|Ed25519|PasswordHasher|OtpNet|Rfc2898\w*|SecurityAlgorithms\.\w+)\b")]
    private static partial Regex Algorithm();

    [GeneratedRegex(@"Random\.Shared|new Random\(")]
    private static partial Regex WeakChance();

    [GeneratedRegex(@"""resolved"":")]
    private static partial Regex Resolved();

    [GeneratedRegex(@"""contentHash"":")]
    private static partial Regex ContentHash();

    [GeneratedRegex(@"-----BEGIN (EC |RSA )?PRIVATE KEY-----\s+[A-Za-z0-9+/]{40}|AKIA[0-9A-Z]{16}|\bsk_live_\w{16}|xox[bp]-\w{10}|ghp_\w{30}")]
    private static partial Regex Secret();
}
